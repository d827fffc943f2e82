"""Every evaluation is counted, under how many settings too."""

from common import tries


def results(**more):
    return {"corpus": {"name": "gtzan", "fingerprint": "9f"}, "preset": "full", "follow": "paper", "seed": 0,
            "complete": True, "commit": "ab12", "settings_sha256": "one", "claims_sha256": "rules"} | more


def test_settings_are_counted_for_each_mode_and_corpus(tmp_path):
    assert tries.add(tmp_path / "p", results(), "2020-01-01") == {"settings": 1, "evaluations": 1}
    assert tries.add(tmp_path / "p", results(seed=1)) == {"settings": 1, "evaluations": 2}
    assert tries.add(tmp_path / "p", results(settings_sha256="two")) == {"settings": 2, "evaluations": 3}
    other = results(corpus={"name": "gtzan", "fingerprint": "77"}, settings_sha256="three")
    assert tries.add(tmp_path / "p", other) == {"settings": 1, "evaluations": 1}
    assert tries.add(tmp_path / "p", results(follow="sound")) == {"settings": 1, "evaluations": 1}
    assert tries.add(tmp_path / "p", results())["settings"] == 2  # the same again is no further setting
    lines = tries.read(tmp_path / "p" / tries.FILE)
    assert len(lines) == 6 and lines[0]["commit_time"] == "2020-01-01" and lines[0]["claims_sha256"] == "rules"


def test_a_line_cut_off_by_a_crash_is_passed_over(tmp_path):
    tries.add(tmp_path, results())
    with open(tmp_path / tries.FILE, "a") as file:
        file.write('{"corpus": "gt')
        file.write("\n[1]\n")
    assert tries.add(tmp_path, results(settings_sha256="two")) == {"settings": 2, "evaluations": 2}
