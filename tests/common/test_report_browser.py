"""The pages as a browser shows them, opened from disk: nothing fetched, nothing cut off, everything within reach."""

import pytest
from PIL import Image

from common.report import collect, pages
from tests.common import browser
from tests.common.browser import Browser, examine
from tests.common.fabricated import make_papers, make_run
from tests.common.test_findings_page import STORY

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


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A page that opens with a story: synthetic, one seed."""
    folder = tmp_path_factory.mktemp("told")
    papers = make_papers(folder)
    (papers / "softmax_ae" / "story.toml").write_text(STORY)
    for follow in ("code", "paper", "sound"):
        make_run(folder / "runs", papers, follow, 0)
    paths, problems = pages.write(folder / "runs", papers)
    assert problems == []
    return paths[1]


@pytest.mark.parametrize(("width", "scheme"), browser.VIEWS)
def test_a_story_opens_the_page_with_sentences_a_figure_and_a_sound_that_plays(chromium, told, width, scheme):
    problems, measured = examine(chromium, told, width, scheme)
    assert problems == [] and measured["contrast"] >= 4.5
    parts = chromium.evaluate("""[...document.querySelectorAll("main > section")].slice(0, 2).map((one) =>
        one.getAttribute("aria-labelledby"))""")
    counts = chromium.evaluate("""[".told li", ".bars li", ".story audio", "#headlines ~ table tbody tr"].map((one) =>
        document.querySelectorAll(one).length)""")
    assert parts == ["story", "headlines"] and counts == [5, 5, 3, 5]
    dead = chromium.evaluate("""[...document.querySelectorAll('a[href^="#"]')].map((one) => one.hash.slice(1))
        .filter((one) => one && !document.getElementById(decodeURIComponent(one)))""")
    assert dead == []


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
    deck(chromium, "tiles[0].focus();")
    for playing in ("true", "false"):
        chromium.press("Enter", 13)
        assert deck(chromium, f"""return until(() => tiles[0].classList.contains("playing") === {playing});""") is True
    assert chromium.complaints() == []


def test_every_sound_of_the_page_loads(chromium, written):
    chromium.open(written[2], 1280)
    lengths = chromium.evaluate("""Promise.all([...document.querySelectorAll("audio")].map((one) => new Promise(
        (done) => { one.addEventListener("loadedmetadata", () => done(one.duration));
        one.addEventListener("error", () => done(-1)); one.preload = "metadata"; one.load(); })))""")
    assert len(lengths) == 9 and all(length == pytest.approx(0.25, abs=0.01) for length in lengths)


DECK = """
const box = document.querySelector(".listen"), tiles = [...box.querySelectorAll("a[data-audio]")];
const slider = box.querySelector("input[type=range]"), later = (ms) => new Promise((done) => setTimeout(done, ms));
const key = (one, name) => one.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
const until = async (ask) => { for (let n = 0; n < 200 && !ask(); n += 1) await later(50); return ask(); };
const plain = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { this.loop = true; return plain.call(this); };
"""


def deck(chromium, script):
    """The value of a script that knows the first player of the page.

    The sounds last a quarter of a second: they are played over and over, so that a slow machine finds them playing.
    """
    return chromium.evaluate(f"(async () => {{ {DECK} {script} }})()")


def test_another_version_goes_on_from_the_same_place_by_click_and_by_keyboard(chromium, written):
    chromium.open(written[1], 1280)
    places = deck(chromium, """
        const playing = (wanted) => until(() => tiles[0].classList.contains("playing") === wanted);
        const settled = async () => { await until(() => +slider.value === 600); await later(100); };
        tiles[0].click(); await playing(true); tiles[0].click(); await playing(false);
        slider.value = 600; slider.dispatchEvent(new Event("input")); await settled();
        const found = [[+slider.value, box.querySelector(".time").textContent, box.querySelector(".now").textContent]];
        tiles[0].focus(); key(tiles[0], "ArrowRight"); await settled();
        found.push([+slider.value, document.activeElement === tiles[1], box.querySelector(".now").textContent]);
        key(tiles[1], "ArrowDown"); await settled();
        found.push([+slider.value, +document.activeElement.dataset.row, document.activeElement.dataset.column]);
        return [...found, tiles.filter((one) => one.hasAttribute("aria-current")).length];""")
    assert places[0] == [600, "0.1 of 0.3 s" if places[0][1].startswith("0.1") else "0.2 of 0.3 s", places[0][2]]
    assert places[1][:2] == [600, True] and places[1][2] != places[0][2]
    assert places[2][0] == 600 and places[3] == 1  # (down from column 1 there is no sound: it stays)
    assert chromium.complaints() == []


def test_levels_are_matched_unless_asked_otherwise_and_the_playhead_moves(chromium, written):
    chromium.open(written[1], 1280)
    chromium.evaluate("""(() => { window.volumes = []; const plain = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () { volumes.push(this.volume); return plain.call(this); }; })()""")
    found = deck(chromium, """
        tiles[0].dataset.gain = "-6"; tiles[1].click();
        await until(() => tiles[1].classList.contains("playing")); tiles[1].click();
        slider.value = 0; slider.dispatchEvent(new Event("input")); tiles[0].click();
        let moved = 0;
        await until(() => { moved = parseFloat(box.querySelector(".view i").style.left); return moved > 5; });
        if (box.querySelector(".playing")) tiles[0].click();
        box.querySelector(".match input").click(); tiles[0].click();
        return [moved, tiles[0].dataset.picture.slice(0, 22) === box.querySelector(".view img").src.slice(0, 22)];""")
    volumes = chromium.evaluate("volumes")
    assert found[0] > 5 and found[1] is True
    assert volumes[1] == pytest.approx(10 ** (-6 / 20), abs=0.001) and volumes[-1] == 1


def test_a_reader_who_wants_less_motion_gets_a_playhead_without_animation(chromium, written):
    chromium.open(written[1], 1280)
    chromium.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    frames = deck(chromium, """
        let frames = 0; const asked = requestAnimationFrame;
        window.requestAnimationFrame = (step) => { frames += 1; return asked(step); };
        tiles[0].click(); await until(() => +slider.value > 0); return [frames, +slider.value];""")
    assert frames[0] == 0 and frames[1] > 0


def test_only_one_sound_plays_at_a_time(chromium, written):
    chromium.open(written[1], 1280)
    playing = deck(chromium, """
        const other = document.querySelector("audio"); other.loop = true; await other.play();
        const before = other.paused; tiles[0].click(); await until(() => other.paused);
        return [before, other.paused];""")
    assert playing == [False, True]


def test_print_shows_pictures_and_labels_and_no_controls(chromium, written):
    chromium.open(written[1], 1280)
    chromium.call("Emulation.setEmulatedMedia", media="print")
    shown = chromium.evaluate("""["nav", ".stage", ".filters", "audio", "a[data-audio] img", ".tile", "figcaption"].map(
        (one) => document.querySelector(one).checkVisibility())""")
    chromium.call("Emulation.setEmulatedMedia", media="")
    assert shown == [False, False, False, False, True, True, True]


def test_claims_are_found_by_their_words_sorted_and_opened_by_links(chromium, written):
    chromium.open(written[1], 1280)
    chromium.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = false; })')
    rows = '[...document.querySelectorAll(".claims tr[data-kind]")].filter((one) => one.checkVisibility())'
    find = 'const box = document.getElementById("find"); box.value = "%s"; box.dispatchEvent(new Event("input"));'
    assert chromium.evaluate(f"{rows}.length") == 0
    chromium.evaluate(f"(() => {{ {find % 'LOGITS bottleneck'} }})()")
    assert chromium.evaluate(f"{rows}.map((one) => one.id)") == ["claim-R5"]
    chromium.evaluate(f"(() => {{ {find % ''} location.hash = '#claim-T1-test'; }})()")
    assert chromium.evaluate("""new Promise((done) => setTimeout(() => done(
        document.getElementById("claim-T1-test").checkVisibility()), 100))""") is True
    sort = 'const one = document.getElementById("sort"); one.value = "%s"; one.dispatchEvent(new Event("change"));'
    every = '[...document.querySelectorAll(".claims tr[data-kind]")]'
    chromium.evaluate(f"(() => {{ {sort % 'verdict'} }})()")
    tones = chromium.evaluate(f"{every}.map((one) => one.dataset.tones)")
    places = [min(map(("yes", "no", "open").index, tone.split())) for tone in tones if tone]
    assert places == sorted(places) and len(set(places)) > 1
    chromium.evaluate(f"(() => {{ {sort % 'place'} }})()")
    assert chromium.evaluate(f"{every}.map((one) => +one.dataset.place)") == sorted(
        chromium.evaluate(f"{every}.map((one) => +one.dataset.place)"))


def test_a_picture_of_a_page_is_small_and_the_command_says_what_is_missing(written, tmp_path, capsys):
    from common.report import __main__ as command

    target = tmp_path / "docs" / "page.png"
    assert command.main(["screenshot", str(written[1]), "--output", str(target), "--width", "800"]) == 0
    with Image.open(target) as picture:
        assert picture.size == (800, 1700) and len(picture.getcolors()) > 8
    assert target.stat().st_size < 300_000
    with pytest.raises(SystemExit):
        command.main(["screenshot", str(tmp_path / "none.html"), "--output", str(target)])
    assert "none.html: no such page; next: python -m common.report" in capsys.readouterr().err


def test_the_picture_of_the_readme_is_small():
    path = collect.ROOT / "docs" / "page.png"
    assert path.stat().st_size < 300_000 and "](docs/page.png)" in (collect.ROOT / "README.md").read_text()


def test_a_screen_reader_is_told_what_everything_is(chromium, told):
    """From the tree that the browser hands to it: every control has a name, every picture a text."""
    chromium.open(told, 1280)
    chromium.evaluate('document.querySelectorAll("details").forEach((one) => { one.open = true; })')
    nodes = chromium.call("Accessibility.getFullAXTree")["nodes"]
    seen = {}
    for node in nodes:
        if not node.get("ignored"):
            seen.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    asked = ("button", "slider", "link", "checkbox", "radio", "searchbox", "combobox", "table", "columnheader", "image")
    for role in asked:
        assert seen.get(role) and all(name.strip() for name in seen[role]), (role, seen.get(role))
    assert seen["heading"][:3] == ["Latent Feature Extraction for Musical Genres from Raw Audio synthetic", "The story",
                                   "What an effect looks like, on synthetic music"]
    assert {"main", "navigation"} <= {role.lower() for role in seen} and "Place in the sound" in seen["slider"]
