"""What a story says: each sentence of each paper, with made-up results that hold, that do not, and that cannot tell."""

import re
from dataclasses import replace

import pytest

from common.claims import Judgement
from common.errors import ClaimsError
from common.report import collect, decisive, story

PAPERS = {paper.name: paper for paper in collect.papers(collect.ROOT / "papers")}
TOLD = [(name, one.claim) for name, paper in PAPERS.items() for one in (*paper.story.told, *paper.story.findings)]
WORDS = {"fact": ("holds", "fails"), "finding": ("seen", "not seen"), "number": ("matches", "differs")}


def made_up(paper, headline, word="not run", value=0.4321, reason="", **more):
    """{mode: {claim: Judgement}}: one verdict with a value, an interval and every baseline that its sentences name."""
    names = set(re.findall(r"\{([^{}]+?)(?: %)?\}", headline.holds + headline.fails))
    claim = next(claim for claim in paper.claims if claim.id == headline.claim)
    one = Judgement(claim, headline.follow, word, reason, (0, 1, 2), (value,), value, value - 0.01, value + 0.02,
                    n=77, groups=12, baselines=tuple((name, 0.1234) for name in names - set(paper.follows)))
    return {follow: {headline.claim: replace(one, follow=follow, **more)} for follow in paper.follows}


def headline_of(name, claim):
    paper = PAPERS[name]
    return paper, next(one for one in (*paper.story.headlines, *paper.story.findings) if one.claim == claim)


@pytest.mark.parametrize(("name", "claim"), TOLD)
def test_each_sentence_says_one_thing_its_opposite_and_that_it_cannot_tell(name, claim):
    paper, headline = headline_of(name, claim)
    kind = next(one.kind for one in paper.claims if one.id == claim)
    yes, no = (story.sentence(headline, made_up(paper, headline, word)) for word in WORDS[kind])
    assert (yes.tone, no.tone) == ("yes", "no") and yes.text != no.text
    for said, template in ((yes, headline.holds), (no, headline.fails)):
        assert not re.search(r"[{}]", said.text)
        words = re.sub(r"\{[^{}]*\}", "\0", " ".join(template.split())).split("\0")
        assert all(part in said.text for part in words)
    unknown = story.sentence(headline, made_up(paper, headline, "not testable", reason="nothing was measured"))
    assert unknown.tone == "none" and unknown.text.startswith("Whether ")
    assert unknown.text.endswith("cannot be told: nothing was measured.") and "(measured: 0.4" in unknown.text
    few = story.sentence(headline, made_up(paper, headline, "undecided", reason="1 seed", seeds=(0,)))
    assert few.tone == "none" and few.text.endswith("is undecided: 1 seed.")
    assert story.sentence(headline, made_up(paper, headline, "withheld", reason="edited")).text.endswith(
        "is withheld: edited.")


@pytest.mark.parametrize(("name", "claim"), TOLD)
def test_each_number_of_a_sentence_comes_from_the_results(name, claim):
    """Other values give other numbers, and no other words."""
    paper, headline = headline_of(name, claim)
    one, two = (story.sentence(headline, made_up(paper, headline, "holds", value=value)).text for value in (0.42, 7.77))
    if {"{value", "{interval", "{code", "{paper", "{sound"} & {part.split(" ")[0].rstrip("}") for part in re.findall(
            r"\{[^{}]*\}", headline.holds)}:
        assert one != two
    assert re.sub(r"[\d.,]+", "", one) == re.sub(r"[\d.,]+", "", two)


def test_one_training_is_called_one_training():
    paper, headline = headline_of(*TOLD[0])
    once = story.sentence(headline, made_up(paper, headline, "not seen once")).text
    assert once.endswith("(One training; another may say otherwise.)")
    assert "One training" not in story.sentence(headline, made_up(paper, headline, "not seen")).text


def test_a_number_that_results_lack_is_not_made_up():
    paper, headline = headline_of("softmax_ae", "R16b")
    verdicts = made_up(paper, headline, "seen", baselines=(("DSAE", 0.5), ("loudness only", float("nan"))))
    said = story.sentence(headline, verdicts)
    assert said.tone == "none" and said.text.endswith("cannot be told: these results lack loudness only.")


def test_numbers_are_not_asked_of_synthetic_music():
    paper, headline = headline_of("musae", "T7-flower")
    said = story.sentence(headline, made_up(paper, headline, "not comparable", reason="synthetic data")).text
    assert said.endswith("(measured: 0.432 ± 0.015) is not asked of synthetic music.")


def test_what_cannot_be_told_for_one_reason_is_one_sentence():
    paper = PAPERS["lord_transfer"]
    verdicts = {follow: {} for follow in paper.follows}
    for one in paper.story.told:
        asked = one.claim.startswith("I")
        more = {"word": "not testable", "reason": "another data set"} if asked else {"word": "fails"}
        for follow, judged in made_up(paper, one, **more).items():
            verdicts[follow] |= judged
    said = story.sentences(paper.story, verdicts)
    together = [one for one in said if len(one.claims) > 1]
    assert len(together) == 1 and together[0].claims == ("I-target", "I-joint", "I4-melody", "I-error")
    assert together[0].text.count("hether ") == 4 and together[0].text.endswith("cannot be told: another data set.")
    assert len(said) == len(paper.story.told) - 3


def test_the_figure_sets_the_model_beside_what_needs_none():
    paper = PAPERS["softmax_ae"]
    claim = next(one for one in paper.claims if one.id == paper.story.figure)
    judged = Judgement(claim, "paper", "matches", mean=0.6, low=0.5, high=0.8, by_groups=True, groups=9,
                       groups_of="tracks", baselines=(("majority", 0.25), ("loudness_only", float("nan"))))
    nothing = Judgement(claim, "sound", "not run")
    verdicts = {"code": {claim.id: nothing}, "paper": {claim.id: judged}, "sound": {claim.id: nothing}}
    drawn = decisive.figure(paper.story, verdicts)
    model, baseline = drawn["bars"]
    assert (model["follow"], model["width"], model["low"], model["span"]) == ("paper", 75.0, 62.5, 37.5)
    assert (baseline["name"], baseline["says"], baseline["width"]) == ("majority", "0.250", 31.25)
    assert decisive.figure(paper.story, {follow: {claim.id: nothing} for follow in verdicts}) is None
    others = replace(judged, baselines=(("majority", 0.25), ("variety", 0.9)))
    chosen = decisive.figure(replace(paper.story, beside=("majority",)), verdicts | {"paper": {claim.id: others}})
    assert [bar["name"] for bar in chosen["bars"]] == ["model", "majority"]
    own = replace(paper.story, own="majority")
    assert [bar["says"] for bar in decisive.figure(own, verdicts)["bars"]] == ["0.250"]


@pytest.mark.parametrize(("change", "problem"), [
    (("holds = ", "hold = "), "unexpected keyword"), (('claim = "R16b"', 'claim = "R99"'), "R99 is not in claims.csv"),
    (('claim = "R17"', 'claim = "R16b"'), "a claim is there twice"), (("A network", "7 networks"), "holds a digit"),
    (('follow = "sound"', 'follow = "loud"'), "no mode loud"), (('matters = "E11a"', 'matters = "R17"'), "no headline"),
    (("{DSAE %}", "{reported}"), "is not told beside"), (('fails = """On', 'fault = """On'), "belong together"),
    (("said = ", "say = "), "'said'"), (('claim = "B-T1-DS-te"', 'claim = "R1"'), "figure: R1 is no headline"),
])
def test_a_wrong_story_is_named(tmp_path, change, problem):
    paper = PAPERS["softmax_ae"]
    path = tmp_path / "story.toml"
    path.write_text((paper.directory / "story.toml").read_text(encoding="utf-8").replace(*change, 1))
    with pytest.raises(ClaimsError, match="story.toml") as found:
        story.read(path, paper.claims, paper.follows)
    assert problem in str(found.value)


def test_every_paper_has_a_story():
    for paper in PAPERS.values():
        assert paper.problems == [] and paper.story and len(paper.story.headlines) <= story.MOST_HEADLINES
