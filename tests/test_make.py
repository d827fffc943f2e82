"""The Makefile, run for real in a copy of its own with a Python that only writes down how it was called."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What stands for Python: `-m venv DIR` puts it there again, `-m pip` ends as FAILS says; what else it is called with is
# written down, and it ends as ENDS says (BY: only in a call with these words).
FAKE = """#!/bin/bash
case "$*" in
  *compile_librosa*) echo "compiled by $0" >> compiled; exit 0;;
  -c*) exit 0;;
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo "#!$(pwd)/$3/bin/python" > "$3/bin/tool"; exit 0;;
  "-m pip "*) echo "pip $*" >> calls; exit ${FAILS:-0};;
esac
echo "$*" >> calls
[[ "$*" != *"${BY:-}"* ]] || exit ${ENDS:-0}
exit 0
"""


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """`make test WORKERS=2` hands its variables on to every make that a test starts."""
    for name in [*(name for name in os.environ if name.startswith(("MAKE", "MFLAGS"))), "WORKERS"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def copy(tmp_path):
    """A folder with the Makefile, two papers and small requirements; `make(…)` runs it there."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("papers/one/evaluate.py", "papers/two/evaluate.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "requirements.txt").write_text("-c constraints.txt\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.3.5\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text(FAKE)
    (tmp_path / "bin" / "python3").chmod(0o755)
    return tmp_path


def _stoppable():
    """Background jobs inherit that Ctrl-C is ignored; here it must not be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def make(folder, *words, **variables):
    """(exit code, lines of stdout and stderr, calls of Python since the last time)."""
    environment = os.environ | variables
    environment["PATH"] = f"{folder / 'bin'}:{environment['PATH']}"
    calls = folder / "calls"
    calls.unlink(missing_ok=True)
    done = subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
                          preexec_fn=_stoppable)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line]
    return done.returncode, lines, calls.read_text().splitlines() if calls.exists() else []


def installed(calls):
    return [call for call in calls if call.startswith("pip")]


# ---------------------------------------------------------------- set-up


def test_set_up_happens_once_and_again_only_for_another_set_of_packages(copy):
    assert installed(make(copy, "lint")[2])
    assert not installed(make(copy, "lint")[2])
    for name in ("requirements.txt", "constraints.txt"):
        os.utime(copy / name)  # as after git checkout, or cp -r
    assert not installed(make(copy, "lint")[2])
    for name in ("requirements.txt", "constraints.txt"):
        (copy / name).write_text((copy / name).read_text() + "# another\n")
        assert installed(make(copy, "lint")[2]), name
        assert not installed(make(copy, "lint")[2])


def test_a_new_set_has_its_compiled_functions_before_anything_runs_with_it(copy):
    """By one process: of two, each could write half of what numba keeps."""
    make(copy, "lint")
    make(copy, "lint")
    assert (copy / "compiled").read_text() == "compiled by .venv/bin/python\n"


def test_a_working_set_outlives_an_installation_that_fails(copy):
    make(copy, "lint")
    (copy / ".venv" / "mine").touch()
    (copy / "constraints.txt").write_text("numpy==2.4.0\n")
    code, lines, calls = make(copy, "lint", FAILS="1")
    assert code == 2 and not any("ruff" in call for call in calls)
    assert any(".venv is as it was" in line and "make lint OFFLINE=1" in line for line in lines)
    assert (copy / ".venv" / "mine").exists() and not (copy / ".venv.new").exists()
    code, _, calls = make(copy, "lint", "OFFLINE=1")
    assert code == 0 and calls == ["-m ruff check .", "-m mypy"]
    code, _, calls = make(copy, "lint")  # back on the network
    assert code == 0 and installed(calls) and not (copy / ".venv" / "mine").exists()
    assert not list(copy.glob(".venv.*"))


def test_scripts_of_the_new_set_name_the_place_it_was_moved_to(copy):
    make(copy, "lint")
    assert (copy / ".venv" / "bin" / "tool").read_text() == f"#!{copy}/.venv/bin/python\n"


def test_without_python_or_packages_one_line_says_what_to_do(copy):
    assert make(copy, "lint", "PYTHON=python0")[1][0].startswith("python0 is not there: install Python 3.11")
    code, lines, _ = make(copy, "lint", "OFFLINE=1")
    assert code == 2 and lines[0] == "OFFLINE=1: there is no .venv yet"
    (copy / "bin" / "old").write_text("#!/bin/bash\n[ \"$1\" = --version ] && echo Python 3.9.1\nexit 1\n")
    (copy / "bin" / "old").chmod(0o755)
    code, lines, _ = make(copy, "lint", "PYTHON=old")
    assert code == 2 and "needs Python 3.11, old is Python 3.9.1" in lines[0]


@pytest.mark.slow
def test_a_real_set_of_no_packages(tmp_path):
    """venv and pip as they are, offline: the moved environment runs, and its scripts too."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "constraints.txt"):
        (tmp_path / name).touch()
    assert make(tmp_path, "venv", f"PYTHON={sys.executable}")[0] == 0
    for words in (["python", "-c", "import sys; print(sys.prefix)"], ["pip", "--version"]):
        done = subprocess.run([tmp_path / ".venv" / "bin" / words[0], *words[1:]], capture_output=True, text=True)
        assert done.returncode == 0 and str(tmp_path / ".venv/") in done.stdout.replace("\n", "/"), done.stderr
    assert ".venv.new" not in (tmp_path / ".venv" / "bin" / "activate").read_text()


# ---------------------------------------------------------------- what is typed


@pytest.mark.parametrize(("typed", "said"), [
    ("reproduce-one SEED=3", "SEED=3: reproduce-one takes SEEDS"),
    ("reproduce-one preset=smoke", "preset=smoke: reproduce-one takes PRESET"),
    ("reproduce FOLLOWS=code", "FOLLOWS=code: reproduce takes FOLLOW"),
    ("reproduce-one EPOCHS=3", 'EPOCHS=3: reproduce-one takes no EPOCHS; it takes DATA PRESET .*FLAGS="--epochs 5"'),
    ("report DATA=x", "DATA=x: report takes no DATA"),
    ("mutants SEEDS=3", "SEEDS=3: mutants takes SEED"),
    ("null SEEDS=3", "SEEDS=3: null takes no SEEDS; it takes PAPER PRESET FOLLOW TWINS JOBS COUNT"),
    ("lint N=3", "N=3: lint takes no N;"),
    ("test WORKER=3", "WORKER=3: test takes WORKERS"),
    ("reproduce-on", "reproduce-on: no such target; choose one of reproduce reproduce-one reproduce-two"),
    ("reprot", "reprot: no such target; choose one of help .* report"),
])
def test_what_is_misspelt_is_refused_before_anything_runs(copy, typed, said):
    code, lines, calls = make(copy, *typed.split())
    assert code == 2 and len(lines) == 1 and re.search(said, lines[0]) and not calls and not (copy / ".venv").exists()


def test_options_reach_the_script(copy):
    words = ("reproduce-one", "DATA=my music", "PRESET=smoke", "SEEDS=0 1", "NULL=1", "FLAGS=--epochs 5")
    assert make(copy, *words)[2][-1] == ("-m common.reproduce one --preset smoke --follow all --seeds 0 1 "
                                         "--data my music --null --jobs 0 --epochs 5")
    assert "--jobs 2 --dask tcp://x:1" in make(copy, "reproduce-one", "JOBS=2", "DASK=tcp://x:1")[2][-1]
    assert "pytest -n auto --maxprocesses 4 --dist loadfile" in make(copy, "test-fast")[2][-1]
    assert "pytest -n 1 --dist loadfile" in make(copy, "test", "WORKERS=1")[2][-1]
    assert make(copy, "mutants", "PAPER=two", "N=5")[2] == ["-m tests.mutate --paper two --n 5 --seed 0"]
    assert [call.split() for call in make(copy, "null", "PAPER=two", "FOLLOW=code", "JOBS=2", "COUNT=1")[2]] == [
        "-m common.demo.twins two --follow code --jobs 2 --count".split()]
    assert make(copy, "null")[2][0].split() == ["-m", "common.demo.twins"]  # its own defaults, not those of reproduce


def test_data_that_is_not_there_is_one_line(copy):
    make(copy, "lint")
    code, lines, calls = make(copy, "check-data", "DATA=/nonexistent")
    assert code == 2 and lines[0] == "/nonexistent: no such folder, or no permission to read it"
    assert not [call for call in calls if "pytest" in call]


# ---------------------------------------------------------------- how it ends


def test_reproduce_goes_on_after_a_failure_but_not_after_a_wrong_call_or_a_stop(copy):
    make(copy, "lint")
    both = ["-m common.reproduce one", "-m common.reproduce two"]
    for ends, code, ran, last in (("0", 0, both, ()), ("1", 2, both, ("one", "two")), ("2", 2, both[:1], ()),
                                  ("130", -signal.SIGINT, both[:1], ()), ("143", -signal.SIGTERM, both[:1], ())):
        found, lines, calls = make(copy, "reproduce", "PRESET=smoke", "DATA=my mum's", ENDS=ends)
        assert found == code, (ends, found, lines)
        assert [call.split(" --")[0] for call in calls] == ran
        assert [line for line in lines if line.startswith("failed")] == [
            f"failed: {paper}, its lines «error:» above say why. Next: make reproduce-{paper} DATA=\"my mum's\" "
            'PRESET="smoke"' for paper in last]
        for paper in last:  # what it says can be typed
            typed = next(line for line in lines if f"reproduce-{paper}" in line and "Next" in line).split("Next: ")[1]
            again = make(copy, *shlex.split(typed)[1:])[2]
            assert again == [f"-m common.reproduce {paper} --preset smoke --follow all --seeds 0 --data my mum's "
                             "--jobs 0"]


@pytest.mark.parametrize("target", ["reproduce-one", "report", "test", "check-gpu", "bench", "mutants", "null"])
def test_a_stop_is_handed_on(copy, target):
    """`make` ends by the signal itself."""
    make(copy, "lint")
    assert make(copy, target, ENDS="130")[0] == -signal.SIGINT
    assert make(copy, target, ENDS="143")[0] == -signal.SIGTERM


@pytest.mark.parametrize("code", [130, 143])
def test_a_shell_shows_a_stop_as_130_or_143(copy, code):
    make(copy, "lint")
    target = "reproduce-one"
    found = subprocess.run(["bash", "-c", f"make {target}; echo $?"], cwd=copy, capture_output=True, text=True,
                           preexec_fn=_stoppable,
                           env=os.environ | {"ENDS": str(code), "PATH": f"{copy / 'bin'}:{os.environ['PATH']}"})
    assert found.stdout.splitlines()[-1] == str(code)


def test_benchmarks_run_all_or_those_named(copy):
    assert make(copy, "bench")[2][-1] == "-m benchmarks"
    code, _, calls = make(copy, "bench", "ONLY=steps jobs", ENDS="1", BY="benchmarks")
    assert code == 2 and calls[-1] == "-m benchmarks --only steps jobs"


def test_help_names_every_target(copy):
    text = "\n".join(make(copy, "help")[1])
    for target in ("reproduce-one", "report", "test-fast", "check-data", "mutants", "bench", "clean", "OFFLINE",
                   "FLAGS", "null"):
        assert target in text
