"""The program's split, index for index (dossier 2.4), and what the other splits promise."""

import numpy as np
import pytest

from common.config import resolve
from papers.symphony2vec import config as settings, data, splits
from tests.papers.symphony2vec.toy import small, small_store

COMPOSERS = np.repeat(np.arange(5), [1748, 908, 1925, 1386, 1698])
TRAIN, TEST = splits.with_replacement(7665, 5366)


def counts(part):
    return np.bincount(COMPOSERS[part], minlength=5).tolist()


def test_the_programs_draws():
    assert TRAIN[:10].tolist() == [2671, 7409, 2191, 5510, 406, 1337, 2800, 6061, 278, 1055]
    assert 3 not in TRAIN
    assert len(np.unique(TRAIN)) == 3823 and len(TEST) == 3842
    assert not np.intersect1d(TRAIN, TEST).size
    assert counts(TRAIN) == [1238, 619, 1360, 918, 1231]
    assert counts(np.unique(TRAIN)) == [870, 430, 960, 678, 885]
    assert counts(TEST) == [878, 478, 965, 708, 813]
    assert np.bincount(np.bincount(TRAIN))[1:].tolist() == [2606, 950, 216, 45, 4, 2]


def test_a_selection_has_the_programs_draws_of_the_clips_that_are_kept():
    store = small_store()
    kept = [row for row, one in enumerate(store.index) if one["offset"] < 3 * 220500]  # the last of four is dropped
    for seed in (0, 1):  # drawn once, whatever the training's seed
        selection = data.select(small("code"), store, seed)
        train, test = splits.with_replacement(27, 19, 17)
        assert (selection.train.tolist(), selection.test.tolist()) == (
            np.array(kept)[train].tolist(), np.array(kept)[test].tolist())  # fmt: skip


def test_printed_shares_of_table_1():
    # 70 to 30 of 7665 clips cannot give 5366 and 3842: together they exceed the clips that exist.
    assert len(TRAIN) + len(TEST) == 9208 > 7665
    assert np.round(np.array(counts(TRAIN)) / 5366, 3).tolist() == pytest.approx([0.231, 0.115, 0.253, 0.171, 0.229])
    assert np.round(np.array(counts(TEST)) / 3842, 3).tolist() == pytest.approx([0.229, 0.124, 0.251, 0.184, 0.212])


def test_the_programs_mel_parts():
    shuffled = splits.shuffled_test(7665, 5366)
    assert shuffled[:3].tolist() == [6380, 236, 3252] and shuffled[-3:].tolist() == [5057, 4347, 2426]
    assert sorted(shuffled) == TEST.tolist()
    parts = [np.bincount(COMPOSERS[part]).tolist() for part in np.array_split(TRAIN, 5)]
    assert parts == [[255, 131, 283, 173, 232], [246, 120, 277, 189, 241], [256, 122, 259, 175, 261],
                     [250, 114, 275, 192, 242], [231, 132, 266, 189, 255]]  # fmt: skip
    parts = [np.bincount(COMPOSERS[part]).tolist() for part in np.array_split(shuffled, 5)]
    assert parts == [[155, 101, 185, 138, 190], [178, 99, 190, 139, 163], [186, 86, 188, 150, 158],
                     [170, 105, 205, 138, 150], [189, 87, 197, 143, 152]]  # fmt: skip
    stages = splits.program_stages(TRAIN, shuffled)
    assert [len(train) for train, _ in stages] == [2147, 2146, 1073]
    assert [len(test) for _, test in stages] == [1538, 1536, 768]
    assert [len(np.unique(train)) for train, _ in stages] == [1858, 1882, 1000]
    assert counts(stages[0][1]) == [333, 200, 375, 277, 353]


def entropy(shares):
    return float(-np.sum(shares * np.log(shares)))


def test_prior_entropies():
    stages = splits.program_stages(TRAIN, splits.shuffled_test(7665, 5366))
    sets = [(TRAIN, TEST), *stages]
    prior = [np.array(counts(train)) / len(train) for train, _ in sets]
    assert [entropy(share) for share in prior] == pytest.approx([1.5751856, 1.5744443, 1.5716182, 1.5815215], abs=1e-6)
    on_test = [
        float(-np.mean(np.log(share)[COMPOSERS[test]])) for share, (_, test) in zip(prior, sets, strict=True)
    ]
    assert on_test == pytest.approx([1.5855255, 1.5896793, 1.5872981, 1.5808031], abs=1e-6)
    assert 965 / 3842 * 100 == pytest.approx(25.1171, abs=1e-4)


def test_without_replacement_is_a_partition():
    train, test = splits.without_replacement(7665, 5366)
    assert len(test) == 2299
    assert sorted([*train, *test]) == list(range(7665))


def test_by_work_never_cuts_through_a_work():
    labels = np.repeat(["a", "b"], [60, 40])
    works = np.array([f"a{i // 10}" for i in range(60)] + [f"b{i // 20}" for i in range(40)])
    train, test = splits.by_work(labels, works, np.tile(np.arange(10), 10))
    assert sorted([*train, *test]) == list(range(100))
    assert not set(works[train]) & set(works[test])
    assert set(labels[train]) == set(labels[test]) == {"a", "b"}


def test_a_single_work_is_split_in_time_with_a_gap():
    labels, works = np.repeat(["a"], 10), np.repeat(["w"], 10)
    train, test = splits.by_work(labels, works, np.arange(10))
    assert train.tolist() == list(range(7)) and test.tolist() == [8, 9]
    with pytest.raises(ValueError, match="too few"):
        splits.by_work(labels[:2], works[:2], np.arange(2))


@pytest.mark.parametrize("clips, trains, tests", [(3, [0], [2]), (4, [0, 1], [3]), (5, [0, 1, 2], [4]),
                                                  (20, [*range(14)], [*range(15, 20)])])  # fmt: skip
def test_of_a_short_work_at_least_the_last_clip_is_tested_on(clips, trains, tests):
    # In time: the clips of the store stand the other way round.
    train, test = splits.by_work(["a"] * clips, ["w"] * clips, np.arange(clips)[::-1])
    place = clips - 1
    assert train.tolist() == sorted(place - k for k in trains) and test.tolist() == sorted(place - k for k in tests)


@pytest.mark.parametrize("share, held_out", [(0.7, {"a": 20, "b": 20}), (0.5, {"a": 30, "b": 20}),
                                             (0.45, {"a": 40, "b": 20})])  # fmt: skip
def test_works_are_held_out_until_their_share_of_the_clips_is_reached(share, held_out):
    labels = np.repeat(["a", "b"], [60, 40])  # works of ten clips and works of twenty; one of them always trains
    works = np.array([f"a{i // 10}" for i in range(60)] + [f"b{i // 20}" for i in range(40)])
    _, test = splits.by_work(labels, works, np.arange(100), share)
    assert {label: int(np.sum(labels[test] == label)) for label in "ab"} == held_out


@pytest.mark.parametrize("follow, clips, trains", [("paper", 5, None), ("paper", 6, 4), ("paper", 15, 11),
                                                   ("code", 15, None), ("code", 16, 11), ("sound", 6, 4)])  # fmt: skip
def test_halves_are_rounded_up_and_too_few_clips_refused(follow, clips, trains):
    """Seven tenths train; two clips at least are tested on, and one for each of the program's five parts."""
    work = np.repeat(["u", "v", "w"], -(-clips // 3))[:clips]  # of six clips sound tests on one work of two
    given = small(follow), np.array(["a"] * clips), work, np.arange(clips), 17
    if trains is None:
        with pytest.raises(ValueError, match=f"^{clips} clips are too few to train and test on"):
            data._split(*given)
    else:
        train, test, shuffled = data._split(*given)
        assert len(train) == trains and sorted(test) == sorted(shuffled)
        assert set(train) | set(test) == set(range(clips))


def test_the_program_loses_the_last_clip_of_each_recording():
    rows = [{"path": path} for path in "aaabbc"]
    offsets = np.array([0, 1, 2, 0, 1, 0])
    kept = {follow: data._kept(resolve(settings, follow, "full"), rows, offsets).tolist()
            for follow in ("paper", "code", "sound")}
    assert kept == {"paper": list(range(6)), "code": [0, 1, 3], "sound": list(range(6))}  # divergence last_clip


def test_means_and_deviations_are_of_all_clips_or_of_those_that_train():
    store = small_store()
    for over, rows in (("all", None), ("train", "train")):
        config = small("paper", normalise_over=over)
        selection = data.select(config, store)
        images = data.Images(config, store, selection, "mfcc")
        used = selection.train if rows else np.union1d(selection.train, selection.test)
        assert images.mean == pytest.approx(store.array("mfcc")[used].mean(), rel=1e-4)
        assert images[used].mean() == pytest.approx(0, abs=1e-3) and images[used].std() == pytest.approx(1, abs=1e-3)
    assert selection.test.size and not np.intersect1d(selection.train, selection.test).size
