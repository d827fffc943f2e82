"""Every verdict word, every reason: expected intervals are fractions one can check by hand."""

import math

import numpy as np
import pytest

from common import claims as claims_module, findings
from common.claims import check_results, judge, read_claims, read_results, t_interval
from common.errors import ClaimsError

HEADER = "id,where,kind,claim,reported,unit,needs,rule\n"


def make_claims(tmp_path, *rows):
    path = tmp_path / "claims.csv"
    path.write_text(HEADER + "".join(row + "\n" for row in rows), encoding="utf-8")
    return read_claims(path)


def make_run(seed=0, results=None, evidence="published", **more):
    corpus = {"name": "gtzan", "evidence": evidence, "fingerprint": "9f2c01", "items": 400, **more.pop("corpus", {})}
    run = {"paper": "softmax_ae", "corpus": corpus, "preset": "full", "follow": "paper", "overrides": {}, "seed": seed,
           "complete": True, "step": 2400, "commit": "ab12cd3", "dirty": False, "claims_sha256": "rules",
           "settings_sha256": "settings", "machine": "test", "hours": 1.0, "notes": {}}
    return run | {"results": {key: value if isinstance(value, dict) else {"value": value, "n": 1000, "of": "segments"}
                              for key, value in (results or {}).items()}} | more


def verdict(claims, *runs, **more):
    return str(judge(claims, list(runs), "rules", more.get("settings", "settings"))[claims[0].id])


NUMBER = 'B-T1-DS-te,Table 1,number,"DSAE, test accuracy",0.653,share,,within 0.02'
FINDING = "R5,sec. 5.2,finding,logits separate more,,difference,seeds>=3,interval > 0"
FACT = "E2,program,fact,no gradient,,max abs,follow=code,abs <= 1e-7"


def test_reads_every_column(tmp_path):
    number, finding = make_claims(tmp_path, NUMBER, "R1,5,finding,x,,,corpus=gtzan|fma_small;items>=400,interval < .05")
    assert (number.claim, number.reported) == ("DSAE, test accuracy", 0.653)
    assert (number.rule, number.threshold) == ("within", 0.02)
    assert finding.needs == (("corpus", "=", "gtzan|fma_small"), ("items", ">=", "400"))
    assert (finding.reported, finding.rule, finding.threshold) == (None, "interval <", 0.05)


@pytest.mark.parametrize(("row", "says"), [
    ("a,b,number,c,0.5,share,,within", "is none of"),
    ("a,b,number,c,0.5,share,,interval >= 0", "is none of"),
    ("a,b,number,c,0.5,share,,within 0.1 or so", "is none of"),
    ("a,b,number,c,,share,,within 0.1", "needs a reported number"),
    ("a,b,number,c,0.5,share,,within -1", "0 or more"),
    ("a,b,number,c,65 %,share,,within 1", "is no number"),
    ("a,b,guess,c,,share,,abs <= 1", "is none of number, finding, fact"),
    ("a,b,fact,,,share,,abs <= 1", "claim is empty"),
    ("a b,b,fact,c,,share,,abs <= 1", "must be letters"),
    ("a,b,fact,c,,share,follow=mine,abs <= 1", "must name one of code, paper, sound"),
    ("a,b,fact,c,,share,evidence=good,abs <= 1", "must name one of published, other, demo"),
    ("a,b,fact,c,,share,seeds=3,abs <= 1", "seeds>=n"),
    ("a,b,fact,c,,share,items>=many,abs <= 1", "compares with no number"),
    ("a,b,fact,c,,share,full,abs <= 1", "is not key=value"),
    ("a,b,fact,c,d,e,share,,abs <= 1", "a row has 8 cells"),
    ("a,b,fact", "a row has 8 cells"),
])
def test_malformed_row_is_named_with_file_and_line(tmp_path, row, says):
    with pytest.raises(ClaimsError, match=says) as error:
        make_claims(tmp_path, NUMBER, row)
    assert f"{tmp_path / 'claims.csv'} line 3" in str(error.value)


def test_all_bad_rows_are_listed_at_once_and_a_second_id_is_one(tmp_path):
    with pytest.raises(ClaimsError) as error:
        make_claims(tmp_path, NUMBER, NUMBER, "a,b,fact,c,,share,,sometimes")
    assert "line 3" in str(error.value) and "appears twice" in str(error.value) and "line 4" in str(error.value)


def test_wrong_header_missing_and_binary_files(tmp_path):
    (tmp_path / "header.csv").write_text("id,claim\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    for name, says in (("header.csv", "the first line must"), ("binary.csv", "cannot be read"), ("none.csv", "cannot")):
        with pytest.raises(ClaimsError, match=says):
            read_claims(tmp_path / name)


def test_t_interval_by_hand():
    # mean 2, sample deviation 1, t(0.975, 2) = 4.302652...
    low, high = t_interval([1.0, 2.0, 3.0])
    assert low == pytest.approx(2 - 4.30265273 / math.sqrt(3)) and high == pytest.approx(2 + 4.30265273 / math.sqrt(3))
    assert t_interval([1.0, 2.0]) == (None, None)
    assert t_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


def test_number_matches_differs_and_edge(tmp_path):
    claims = make_claims(tmp_path, NUMBER)
    assert verdict(claims, make_run(results={"B-T1-DS-te": 0.66})) == "matches"
    assert verdict(claims, make_run(results={"B-T1-DS-te": 0.673})) == "matches"  # exactly 0.02 away
    assert verdict(claims, make_run(results={"B-T1-DS-te": 0.6731})) == "differs"
    two = [make_run(seed, {"B-T1-DS-te": value}) for seed, value in ((0, 0.60), (1, 0.70))]
    assert verdict(claims, *two) == "matches"  # the mean counts


@pytest.mark.parametrize(("more", "says"), [
    ({"evidence": "demo"}, "not comparable (synthetic data)"),
    ({"evidence": "other"}, "not comparable (another corpus than the paper's)"),
    ({"preset": "smoke"}, "not comparable (preset smoke is smaller than the paper's run)"),
    ({"overrides": {"epochs": 3}}, "not comparable (settings overridden: epochs)"),
    ({"corpus": {"facts": {"groups_per_class": 1}}},
     "not comparable (one group per class: a split by group is not possible)"),
    ({"claims_sha256": "older"}, "withheld (claims.csv changed after seed 0 was evaluated; evaluate again)"),
    ({"settings_sha256": "older"}, "withheld (the settings changed after seed 0 was trained; train again)"),
    ({"complete": False, "step": 7}, "not comparable (partial run: seed 0 at step 7)"),
])
def test_number_is_not_compared(tmp_path, more, says):
    assert verdict(make_claims(tmp_path, NUMBER), make_run(results={"B-T1-DS-te": 0.653}, **more)) == says


def test_a_longer_run_of_a_small_preset_is_judged_and_another_question_is_not(tmp_path):
    claims = make_claims(tmp_path, FINDING)
    longer = [make_run(seed, {"R5": 0.2 + 0.01 * seed}, "demo", preset="demo", overrides={"epochs": 90})
              for seed in range(3)]
    assert str(judge(claims, longer, "rules", "settings", {"epochs"})["R5"]) == "seen"
    assert str(judge(claims, longer, "rules", "settings", {"steps"})["R5"]) == (
        "not testable (settings overridden: epochs)")


@pytest.mark.parametrize(("values", "real", "demo"), [
    ((0.2, 0.21, 0.22), "holds", "seen"),
    ((-0.2, -0.21, -0.22), "fails", "not seen"),
    ((0.0, 0.0, 0.0), "fails", "not seen"),
    ((7e-15, 7e-15, 7e-15), "fails", "not seen"),  # rounding, where two models answer alike
    ((-0.2, 0.0, 0.3), "undecided (the interval contains 0)", "undecided (the interval contains 0)"),
    ((0.2, 0.3), "undecided (2 seeds)", "undecided (2 seeds)"),
    ((0.2,), "undecided (1 seed)", "undecided (1 seed)"),
])
def test_finding_words_by_evidence(tmp_path, values, real, demo):
    claims = make_claims(tmp_path, FINDING)
    for evidence, says in (("published", real), ("other", real), ("demo", demo)):
        runs = [make_run(seed, {"R5": value}, evidence) for seed, value in enumerate(values)]
        assert verdict(claims, *runs) == says


def test_interval_below(tmp_path):
    claims = make_claims(tmp_path, "R1,5,finding,does not separate,,silhouette,,interval < 0.05")
    for values, says in (((0.01, 0.01, 0.02), "holds"), ((0.06, 0.06, 0.06), "fails"), ((0.05, 0.05, 0.05), "fails"),
                         ((0.05 - 1e-15, 0.05 - 1e-15, 0.05 - 1e-15), "fails"),
                         ((0.01, 0.05, 0.09), "undecided (the interval contains 0.05)")):
        assert verdict(claims, *[make_run(seed, {"R1": value}) for seed, value in enumerate(values)]) == says


def test_fact_holds_on_demo_data_with_one_seed_in_its_mode_only(tmp_path):
    claims = make_claims(tmp_path, FACT)
    demo = {"evidence": "demo", "preset": "smoke", "corpus": {"facts": {"groups_per_class": 1}}}
    assert verdict(claims, make_run(results={"E2": -1e-8}, follow="code", **demo)) == "holds"
    assert verdict(claims, make_run(0, {"E2": 0.0}, follow="code"), make_run(1, {"E2": -0.1}, follow="code")) == "fails"
    assert verdict(claims, make_run(results={"E2": 0.0})) == "not testable (asked of code only)"
    assert verdict(claims, make_run()) == "not testable (asked of code only)"


@pytest.mark.parametrize(("needs", "says"), [
    ("corpus=gtzan|folder;preset=full;evidence=published;items>=400", "holds"),
    ("corpus=lmd_matched", "not testable (needs corpus=lmd_matched, this is gtzan)"),
    ("preset=demo", "not testable (needs preset=demo, this is full)"),
    ("items>=1000", "not testable (needs items>=1000, this is 400)"),
    ("items<=100", "not testable (needs items<=100, this is 400)"),
    ("labels=true", "holds"),
    ("labels=false", "not testable (needs labels=false, this is True)"),
    ("windows>=128", "not testable (needs windows>=128, this is 90)"),
    ("tempo=steady", "not testable (needs tempo=steady, which the run does not state)"),
    ("preset=demo;items>=1000", "not testable (needs preset=demo, this is full; needs items>=1000, this is 400)"),
    ("seeds>=4", "undecided (3 seeds)"),
])
def test_needs(tmp_path, needs, says):
    claims = make_claims(tmp_path, f"Q,here,finding,x,,u,{needs},interval > 0")
    entry = {"value": 1.0, "facts": {"windows": 90}}
    runs = [make_run(seed, {"Q": entry}, corpus={"facts": {"labels": True}}) for seed in range(3)]
    assert verdict(claims, *runs) == says


LEARNT = {"musae": {"what": "held-out accuracy", "value": 0.312345, "baseline": 0.31, "learnt": False},
          "plain": {"what": "held-out error", "value": 0.1, "baseline": 0.4, "learnt": True}}


@pytest.mark.parametrize(("needs", "says"), [
    ("learnt=plain", "holds"),
    ("learnt=musae", "not testable (the model did not learn: musae, held-out accuracy 0.312 against 0.31)"),
    ("learnt=musae|plain", "holds"),
    ("learnt=plain;learnt=musae",
     "not testable (the model did not learn: musae, held-out accuracy 0.312 against 0.31)"),
    ("learnt=other", "not testable (needs learnt=other, which the run does not state)"),
])
def test_a_finding_about_a_model_asks_whether_it_learnt(tmp_path, needs, says):
    claims = make_claims(tmp_path, f"Q,here,finding,x,,u,{needs},interval > 0")
    runs = [make_run(seed, {"Q": 1.0}, learnt=LEARNT) for seed in range(3)]
    assert verdict(claims, *runs) == says
    runs[2]["learnt"] = {name: check | {"learnt": False} for name, check in LEARNT.items()}  # one seed is enough
    assert verdict(claims, *runs).startswith("not testable")
    with pytest.raises(ClaimsError, match="learnt=<model>"):
        make_claims(tmp_path, "Q,here,finding,x,,u,learnt>=1,interval > 0")


def test_a_reason_that_seeds_share_but_for_its_figures_is_said_once(tmp_path):
    claims = make_claims(tmp_path, "Q,here,finding,x,,u,learnt=ali-128;learnt=ali-256,interval > 0")
    failed = {"what": "error", "baseline": 1e-3, "learnt": False}
    runs = [make_run(seed, {"Q": 1.0}, learnt={name: failed | {"value": 0.5 + seed} for name in ("ali-128", "ali-256")})
            for seed in range(3)]
    assert verdict(claims, *runs) == (
        "not testable (the model did not learn: ali-128, error 0.5 against 0.001 (and 2 like it); "
        "the model did not learn: ali-256, error 0.5 against 0.001 (and 2 like it))")


@pytest.mark.parametrize(("rule", "says"), [("at least 10000", ("differs", "matches", "matches")),
                                            ("at most 10000", ("matches", "matches", "differs"))])
def test_more_than_is_met_from_one_side(tmp_path, rule, says):
    claims = make_claims(tmp_path, f'N,sec. 3,number,upwards of 10000 songs,10000,songs,,{rule}')
    assert tuple(verdict(claims, make_run(results={"N": value})) for value in (9999.0, 10000.0, 45129.0)) == says
    mean = [make_run(seed, {"N": value}) for seed, value in enumerate((9000.0, 12000.0))]
    assert verdict(claims, *mean) == says[2]


@pytest.mark.parametrize(("rule", "side"), [("at least 10000", -1), ("at most 10000", 1)])
def test_rounding_grows_with_the_limit(tmp_path, rule, side):
    claims = make_claims(tmp_path, f'N,sec. 3,number,upwards of 10000 songs,10000,songs,,{rule}')
    found = [verdict(claims, make_run(results={"N": 10000.0 + side * away})) for away in (5e-6, 2e-5)]
    assert found == ["matches", "differs"]


def test_a_truth_value_is_no_number(tmp_path):
    with pytest.raises(ClaimsError, match="the value of R5 is True, not a number"):
        verdict(make_claims(tmp_path, FINDING), make_run(results={"R5": True}))


def grouped(values, names=None):
    """An entry as findings.by_group writes it, one item a group."""
    names = names or [f"track {k}" for k in range(len(values))]
    return findings.by_group(values, names, "tracks")


SPREAD = np.array([0.3, -0.2, 0.1, 0.4, -0.1, 0.2, 0.0, 0.3, -0.3, 0.1])  # mean 0.08


@pytest.mark.parametrize(("shift", "count", "real", "demo"), [
    (0.5, 1, "holds once", "seen once"),
    (-0.5, 1, "fails once", "not seen once"),
    (0.5, 2, "holds once", "seen once"),
    (0.5, 3, "holds", "seen"),
    (0.0, 1, "undecided (the interval contains 0)", "undecided (the interval contains 0)"),
])
def test_one_run_speaks_by_its_groups(tmp_path, shift, count, real, demo):
    claims = make_claims(tmp_path, FINDING)  # which needs seeds>=3
    for evidence, says in (("published", real), ("other", real), ("demo", demo)):
        runs = [make_run(seed, {"R5": grouped(SPREAD + shift + 0.01 * seed)}, evidence) for seed in range(count)]
        assert verdict(claims, *runs) == says
        judgement = judge(claims, runs, "rules")["R5"]
        assert (judgement.by_groups, judgement.groups, judgement.groups_of) == (True, 10, "tracks")


def test_seeds_that_differ_more_than_their_groups_widen_the_interval(tmp_path):
    claims = make_claims(tmp_path, FINDING)
    apart = [make_run(seed, {"R5": grouped(SPREAD * 0.1 + value)}) for seed, value in enumerate((0.1, 0.5, 0.9))]
    near = [make_run(seed, {"R5": grouped(SPREAD * 0.1 + value)}) for seed, value in enumerate((0.49, 0.5, 0.51))]
    assert verdict(claims, *apart) == "undecided (the interval contains 0)"
    assert verdict(claims, *near) == "holds"
    # t over seeds alone would say "holds" of seeds that change nothing, whatever the tracks say
    same = [make_run(seed, {"R5": grouped(SPREAD)}) for seed in range(3)]
    assert verdict(claims, *same) == "undecided (the interval contains 0)"


def test_fewer_than_eight_groups_make_no_interval_and_are_named(tmp_path):
    claims = make_claims(tmp_path, FINDING)
    few = grouped(SPREAD[:7] + 0.9)
    assert verdict(claims, make_run(0, {"R5": few})) == "undecided (1 seed, 7 tracks)"
    runs = [make_run(seed, {"R5": few | {"value": 0.9 + 0.01 * seed}}) for seed in range(3)]
    judgement = judge(claims, runs, "rules")["R5"]
    assert (judgement.word, judgement.by_groups, judgement.groups) == ("holds", False, 7)
    assert (judgement.low, judgement.high) == t_interval(list(judgement.values))
    assert verdict(claims, make_run(0, {"R5": grouped(SPREAD[:8] + 0.9)})) == "holds once"
    assert verdict(claims, make_run(0, {"R5": 0.9})) == "undecided (1 seed)"  # no groups, as before


def test_reasons_nan_and_missing_rows(tmp_path):
    claims = make_claims(tmp_path, FINDING)
    assert verdict(claims, make_run()) == "not run"
    assert verdict(claims) == "not run"
    reason = {"not_testable": "under 128 windows tagged punk"}
    same = [make_run(seed, {"R5": reason}) for seed in range(3)]
    assert verdict(claims, *same) == "not testable (under 128 windows tagged punk)"
    one = [make_run(0, {"R5": 1.0}), make_run(1, {"R5": reason}), make_run(2, {"R5": 1.0})]
    assert verdict(claims, *one) == "not testable (seed 1: under 128 windows tagged punk)"
    for bad in (math.nan, math.inf, None):
        runs = [make_run(0, {"R5": 1.0}), make_run(1, {"R5": {"value": bad}}), make_run(2, {"R5": 1.0})]
        assert verdict(claims, *runs) == "not testable (the value of seed 1 is not a number)"
    number = make_claims(tmp_path, NUMBER)
    assert verdict(number, make_run(results={"B-T1-DS-te": math.nan})).startswith("not comparable")


def test_a_partial_seed_and_a_seed_without_the_row_are_left_out(tmp_path):
    claims = make_claims(tmp_path, FINDING)
    runs = [make_run(seed, {"R5": 1.0}) for seed in range(3)]
    runs += [make_run(3, {"R5": -9.0}, complete=False, step=400), make_run(4)]
    judgement = judge(claims, runs, "rules")["R5"]
    assert (judgement.word, judgement.seeds, judgement.mean) == ("holds", (0, 1, 2), 1.0)
    assert judgement.notes == ("no result of seed 4",)
    assert verdict(claims, runs[3]) == "undecided (partial run: seed 3 at step 400)"


def test_summary_keeps_baselines_and_counts(tmp_path):
    claims = make_claims(tmp_path, NUMBER)
    entries = [{"value": v, "n": 1000, "of": "segments", "baselines": b}
               for v, b in ((0.6, {"majority": 0.25}), (0.65, {"majority": 0.27, "loudness": 0.4}), (0.7, None))]
    runs = [make_run(seed, {"B-T1-DS-te": entry}) for seed, entry in enumerate(entries)]
    judgement = judge(claims, runs, "rules")["B-T1-DS-te"]
    assert dict(judgement.baselines) == pytest.approx({"majority": 0.26, "loudness": 0.4})
    assert judgement.mean == pytest.approx(0.65) and (judgement.n, judgement.of) == (1000, "segments")
    assert judgement.low < 0.65 < judgement.high


def test_settings_hash_may_be_a_function_of_the_run_or_not_compared(tmp_path):
    claims = make_claims(tmp_path, NUMBER)
    run = make_run(results={"B-T1-DS-te": 0.65})
    assert verdict(claims, run, settings=lambda run: "new").startswith("withheld")
    assert verdict(claims, run, settings=None) == "matches"


def test_claim_without_rule_is_never_judged(tmp_path):
    claims = make_claims(tmp_path, "B-F3,Figure 3,finding,accuracy curves,,,,")
    assert verdict(claims, make_run(results={"B-F3": 1.0})).startswith("not testable (the paper gives nothing")


def test_unknown_key_and_runs_that_do_not_belong_together_are_errors(tmp_path):
    claims = make_claims(tmp_path, NUMBER)
    with pytest.raises(ClaimsError, match="seed 0: B-T9, R99 not in claims.csv"):
        judge(claims, [make_run(results={"R99": 1, "B-T9": 2})], "rules")
    other = make_run(1, corpus={"fingerprint": "777777"})
    for wrong in (other, make_run(1, follow="code"), make_run(1, preset="demo"), make_run(0)):
        with pytest.raises(ClaimsError):
            judge(claims, [make_run(), wrong], "rules")
    for entry in ({}, {"value": "0.5"}, {"not_testable": ""}, 0.5):
        with pytest.raises(ClaimsError):
            check_results({"B-T1-DS-te": entry}, claims)


def test_read_results_names_the_file(tmp_path):
    path = tmp_path / "results.json"
    for text, says in (("{", "cannot be read"), ("[]", "not a results file"), ("{}", "lacks paper")):
        path.write_text(text)
        with pytest.raises(ClaimsError, match=says) as error:
            read_results(path)
        assert str(path) in str(error.value)


def test_command_line_counts_and_fails(tmp_path, capsys):
    make_claims(tmp_path, NUMBER, FINDING, FACT)
    assert claims_module.main([str(tmp_path / "claims.csv")]) == 0
    assert "1 numbers, 1 findings, 1 facts" in capsys.readouterr().out
    (tmp_path / "bad.csv").write_text(HEADER + "a,b,fact,c,,s,,never\n")
    assert claims_module.main([str(tmp_path / "bad.csv")]) == 1
    assert "line 2" in capsys.readouterr().err
