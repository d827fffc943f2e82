"""The pages as a browser shows them, opened from disk: nothing fetched, nothing cut off, everything within reach."""

import pytest

from common.report import pages
from tests.common import browser
from tests.common.browser import Browser, examine
from tests.common.fabricated import make_papers, make_run

pytestmark = [pytest.mark.slow, pytest.mark.needs_browser]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    papers = make_papers(folder)
    for follow in ("code", "paper", "sound"):
        make_run(folder / "runs", papers, follow)
        for seed in range(2):
            make_run(folder / "runs", papers, follow, seed, "full", evidence="published")
    paths, problems = pages.write(folder / "runs", papers)
    assert problems == [] and len(paths) == 3
    return paths


@pytest.fixture(scope="module")
def chromium():
    with Browser() as opened:
        yield opened


@pytest.mark.parametrize(("width", "scheme"), browser.VIEWS)
def test_pages_have_no_problem_at_any_width_and_scheme(chromium, written, width, scheme):
    for path in written:
        problems, measured = examine(chromium, path, width, scheme)
        assert problems == [], path.name
        assert measured["texts"] > 30 and measured["contrast"] >= 4.5


def test_the_examination_finds_what_is_wrong(chromium, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text("""<!doctype html><title>x</title><style>body {background: #fff; color: #000}</style>
        <p style="color: #999">too pale</p><p style="width: 2000px; text-align: right">too wide</p>
        <p style="width: 3rem; overflow: hidden; white-space: nowrap">cut off by its box</p>
        <img src="none.png" alt="x"><script src="http://127.0.0.1:9/x.js"></script><script>nothing.at.all()</script>""")
    problems = " | ".join(examine(chromium, page, 390, "light")[0])
    for expected in ("contrast 2.85: too pale", "horizontal scroll: 20", "outside the page: too wide",
                     "clipped: cut off by its box", "picture not shown: none.png", "request: http://127.0.0.1:9/x.js",
                     "console: ", "not loaded: "):
        assert expected in problems


def test_everything_is_reached_by_keyboard_and_the_focus_is_seen(chromium, written):
    chromium.open(written[1], 1280)
    reached = []
    for _ in range(400):
        chromium.press("Tab", 9)
        tag, seen = chromium.evaluate("""(() => { const at = document.activeElement, style = getComputedStyle(at);
            return [at.matches("a[data-audio]") ? "tile" : at.id || at.tagName, style.outlineStyle !== "none"]; })()""")
        if tag == "BODY" and reached:
            break
        assert seen or tag == "AUDIO", tag
        reached.append(tag)
    counts = chromium.evaluate("""(() => { const count = (all) => document.querySelectorAll(all).length;
        return {A: count("a[href]:not([data-audio])"), tile: count("a[data-audio]"),
            SUMMARY: count("summary")}; })()""")
    assert {"only-all", "only-decided", "AUDIO"} <= set(reached)
    for tag, count in counts.items():
        assert reached.count(tag) == count, tag


def test_filters_hide_rows_and_tiles_play(chromium, written):
    chromium.open(written[1], 1280)
    chromium.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = true; })')
    rows = 'document.querySelectorAll(".claims:not(.facts) tbody tr")'
    visible = f"{rows}.values().filter((row) => row.checkVisibility()).toArray()"
    assert chromium.evaluate(f"{visible}.length") == 4
    chromium.evaluate('document.getElementById("only-number").click()')
    assert chromium.evaluate(f"{visible}.map((row) => row.dataset.kind)") == ["number", "number"]
    chromium.evaluate('document.getElementById("only-decided").click()')
    assert chromium.evaluate(f"{visible}.every((row) => row.dataset.decided === 'yes')")
    state = 'document.querySelector("a[data-audio]").classList.contains("playing")'
    chromium.evaluate('document.querySelector("a[data-audio]").focus()')
    chromium.press("Enter", 13)
    assert chromium.evaluate(state) is True
    chromium.press("Enter", 13)
    assert chromium.evaluate(state) is False
    assert chromium.complaints() == []


def test_every_sound_of_the_page_loads(chromium, written):
    chromium.open(written[2], 1280)
    lengths = chromium.evaluate("""Promise.all([...document.querySelectorAll("audio")].map((one) => new Promise(
        (done) => { one.addEventListener("loadedmetadata", () => done(one.duration));
        one.addEventListener("error", () => done(-1)); one.preload = "metadata"; one.load(); })))""")
    assert len(lengths) == 9 and all(length == pytest.approx(0.25, abs=0.01) for length in lengths)
