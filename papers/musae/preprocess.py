"""MIDI files to token windows: the filters of section 4.1, each with a count of what it dropped.

    python -m papers.musae.preprocess --data DIR        Lakh matched, or any folder of MIDI files
    python -m papers.musae.preprocess                   the demo corpus

One file is: parse, time signature, grid, four track classes, cross product, lowest pitch, tokens, windows of 2 and 16
bars with a stride of one bar, silence rule. Over files: one path per MIDI, unique windows, the 32 commonest genre tags.
"""

import hashlib
import itertools
import json
import math
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from common import demo, midi, store
from common.corpora import Corpus
from common.corpora.items import joined_groups
from common.files import sha256
from common.progress import progress
from papers.musae import config as settings
from papers.musae.data import STEPS_PER_BAR
from papers.musae.tokens import base_tokens

VERSION = 2
BARS = (2, 16)
CLASSES = ("drums", "bass", "guitar", "strings")
FILES_PER_PART = 256
MAX_WINDOWS = 20_000  # of a file, combinations times bars: a hundred combinations of a song of two hundred bars
UNREADABLE = "not readable as MIDI"
TRANSPOSITIONS = range(-5, 7)  # section 4.1: the interval [-5, 6]


def track_class(program: int, is_drum: bool) -> str:
    """Track class of an instrument (section 4.1): drums before program, then bass, guitar and piano, the rest
    strings.
    """
    if is_drum:
        return "drums"
    return "guitar" if program < 32 else "bass" if program < 40 else "strings"


def time_signature_fault(metres: list, rule: str) -> str | None:
    """Why the metres (events, 3) of a song are refused, or None. rule "one": exactly one event, 4/4; "any_4_4": no
    other.
    """
    if any((numerator, denominator) != (4, 4) for _, numerator, denominator in metres):
        return "a time signature other than 4/4"
    if rule == "any_4_4" or len(metres) == 1:
        return None
    return "several time signature events" if len(metres) else "no time signature event"


def merge(lines: list[midi.Line]) -> tuple[np.ndarray, np.ndarray | None]:
    """Strings (section 4.1): several lines as one, the lowest pitch of all of them sounding -> (base, onset or
    None).
    """
    base = np.min([line.base for line in lines], axis=0)
    if lines[0].onset is None:
        return base, None
    return base, np.any([line.onset & (line.base == base) for line in lines], axis=0)


def too_silent(base: np.ndarray, steps: int, limit: int) -> np.ndarray:
    """True for each window (stride one bar) of a base sequence that holds more than `limit` silent steps in a row."""
    count = max(0, (len(base) - steps) // STEPS_PER_BAR + 1) if len(base) >= steps else 0
    span = limit + 1
    if not count or span > steps:
        return np.zeros(count, bool)
    silent = np.concatenate([[0], np.cumsum(base == midi.SILENT)])
    runs = np.concatenate([[0], np.cumsum(silent[span:] - silent[:-span] == span)])
    begin = np.arange(count) * STEPS_PER_BAR
    return runs[begin + steps - span + 1] > runs[begin]


class Dropped(midi.MidiError):
    """A file that can be read and that the filters of section 4.1 leave out."""


def file_lines(path: Path, quantiser: str, rule: str = "one") -> tuple[dict[str, list[tuple]], tuple[int, int]]:
    """The grid lines of a MIDI file as {class: [(base, onset or None)]}, strings merged, and (notes, lost notes).

    Raises Dropped, whose message after the path is the name of the filter, and midi.MidiError for what is no MIDI.
    """
    song = midi.read(path)
    if fault := time_signature_fault(song.metres.tolist(), rule):
        raise Dropped(f"{path}: {fault}")
    try:
        if quantiser == "pypianoroll":
            lines = midi.pypianoroll_grid(song, origin=None if len(song.metres) else _beat_start(path))
        else:
            lines = midi.complete_grid(song)
    except midi.MidiError as error:
        raise Dropped(f"{path}: {error}") from None
    classes = {name: [] for name in CLASSES}
    for line in lines:
        if (line.base < midi.SILENT).any():
            classes[track_class(line.program, line.is_drum)].append(line)
    notes = sum(line.notes for line in lines), sum(line.lost for line in lines)
    found = {name: [(line.base, line.onset) for line in classes[name]] for name in CLASSES[:3]}
    found["strings"] = [merge(classes["strings"])] if classes["strings"] else []
    for name in CLASSES:
        if not found[name]:
            raise Dropped(f"{path}: no {name} track with a note")
    return found, notes


def _beat_start(path):
    import pretty_midi

    try:
        return pretty_midi.PrettyMIDI(str(path)).estimate_beat_start()
    except Exception as error:  # noqa: B902 pretty_midi raises whatever its parser met
        raise midi.MidiError(f"no beat start found ({type(error).__name__})") from None


def process(path: Path, quantiser: str, rule: str, silence_limit: int) -> dict:
    """Everything of one file: lines, windows, counts.

    Returns {"tokens", "base": uint8 lines end to end, "offset_2", "offset_16": (windows, 4), "digest_2", "digest_16":
    (windows, 2) uint64, "counts": Counter, "steps": int}; where the file is left out {"reason": why, "by_rule": whether
    it is a filter that leaves it out}.
    """
    try:
        found, (notes, lost) = file_lines(path, quantiser, rule)
    except midi.MidiError as error:
        return {"reason": str(error).removeprefix(f"{path}: "), "by_rule": isinstance(error, Dropped)}
    counts = Counter({"notes": notes, "notes without an onset on the grid": lost})
    base, token, start = [], [], {}
    for name in CLASSES:
        for number, (line, onset) in enumerate(found[name]):
            start[name, number] = sum(map(len, base))  # type: ignore[arg-type]
            base.append(line.astype(np.uint8))
            token.append(base_tokens(line, onset).astype(np.uint8))
    length = len(base[0])
    result = {"base": np.concatenate(base), "tokens": np.concatenate(token), "counts": counts, "steps": length}
    counts["combinations"] = math.prod(len(found[name]) for name in CLASSES)
    if counts["combinations"] * (length // STEPS_PER_BAR) > MAX_WINDOWS:
        reason = f"more than {MAX_WINDOWS} windows in one file: too many combinations of tracks"
        return {"reason": reason, "by_rule": True}
    # Loop order of the program: guitar, bass, drums; strings shared by all.
    parts = (range(len(found[name])) for name in ("guitar", "bass", "drums"))
    combinations = [(d, b, g, 0) for g, b, d in itertools.product(*parts)]
    for bars in BARS:
        result |= _windows(result, start, combinations, bars, silence_limit)
    return result


def _windows(result, start, combinations, bars, silence_limit):
    """{"offset_<bars>", "digest_<bars>"} of the windows of all combinations that pass the silence rule; counts them."""
    steps, length, counts = bars * STEPS_PER_BAR, result["steps"], result["counts"]
    lines = {key: slice(at, at + length) for key, at in start.items()}
    silent = {key: too_silent(result["base"][line], steps, silence_limit) for key, line in lines.items()}
    offsets, digests = [], []
    for combination in combinations:
        keys = list(zip(CLASSES, combination, strict=True))
        keep = ~np.any([silent[key] for key in keys], axis=0)
        counts[f"{bars}-bar windows seen"] += len(keep)
        counts[f"{bars}-bar windows with more than {silence_limit} silent steps"] += int((~keep).sum())
        begin = np.flatnonzero(keep) * STEPS_PER_BAR
        offsets.append(np.stack([start[key] + begin for key in keys], axis=1))
        tokens, base = (np.stack([result[name][lines[key]] for key in keys], axis=1) for name in ("tokens", "base"))
        for at in begin:
            cut = tokens[at : at + steps].copy()
            cut[0] = base[at]
            digests.append(hashlib.blake2b(cut.tobytes(), digest_size=16).digest())
    digest = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
    return {f"offset_{bars}": np.concatenate(offsets).astype(np.int64), f"digest_{bars}": digest}


def related_order(tags: np.ndarray) -> np.ndarray:
    """Petal of each genre rank (genres,): tags that songs share become neighbours on the circle (section 3.3, ours).

    The authors placed the genres by hand and the list is lost. Spectral seriation: the angle of a tag in the plane of
    the two leading non-trivial eigenvectors of the normalised co-occurrence of tags (songs, genres).
    """
    genres = tags.shape[1]
    together = tags.T.astype(float) @ tags
    scale = np.sqrt(np.maximum(together.diagonal(), 1.0))
    near = together / np.outer(scale, scale) + 1e-9
    degree = np.sqrt(near.sum(axis=1))
    _, vectors = np.linalg.eigh(near / np.outer(degree, degree))
    plane = vectors[:, -3:-1] if genres > 2 else np.eye(genres, 2)
    plane = plane * np.where(
        plane[np.abs(plane).argmax(axis=0), np.arange(2)] < 0, -1.0, 1.0
    )  # eigh leaves the sign open
    order = np.argsort(np.arctan2(plane[:, 0], plane[:, 1]), kind="stable")
    placement = np.empty(genres, np.int64)
    placement[order] = np.arange(genres)
    return placement


def common_tags(terms: Iterable[Iterable[str]], count: int) -> tuple[list[str], int, float]:
    """The `count` commonest tags over songs (one vote a song, ties: first seen), padded with "", and statistics."""
    votes = Counter(itertools.chain.from_iterable(dict.fromkeys(song) for song in terms))
    names = [name for name, _ in votes.most_common(count)]
    return (
        names + [""] * (count - len(names)),
        len(votes),
        sum(votes[name] for name in names) / max(1, sum(votes.values())),
    )


def recipe(config: settings.Config) -> dict:
    """The settings that decide what the store holds."""
    return {
        "name": "musae",
        "version": VERSION,
        "quantiser": config.quantiser,
        "time_signature": config.time_signature,
        "silence_limit": config.silence_limit,
        "deduplicate": config.deduplicate,
        "genres": config.genres,
        "max_songs": config.max_songs,
    }


def _parts(items, config, folder):
    """Process the items in parts that survive an interruption; yields (item, result) in order."""
    from joblib import Parallel, delayed

    folder.mkdir(parents=True, exist_ok=True)
    workers = Parallel(n_jobs=-1, return_as="generator")
    bar = progress(None, "MIDI files", "file", len(items))
    for begin in range(0, len(items), FILES_PER_PART):
        part, path = items[begin : begin + FILES_PER_PART], folder / f"{begin:07d}.npz"
        results = _load_part(path, len(part))
        if results is None:
            calls = (
                delayed(process)(item.path, config.quantiser, config.time_signature, config.silence_limit)
                for item in part
            )
            results = []
            for result in workers(calls):
                results.append(result)
                bar.update(1)
            _save_part(path, results)
        else:
            bar.update(len(part))
        yield from zip(part, results, strict=True)
    bar.close()


def _save_part(path, results):
    arrays, facts = {}, []
    for k, result in enumerate(results):
        facts.append({key: value for key, value in result.items() if not isinstance(value, np.ndarray)})
        arrays |= {f"{k}/{key}": value for key, value in result.items() if isinstance(value, np.ndarray)}
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    temporary = path.with_suffix(".partial")
    with open(temporary, "wb") as file:
        np.savez(file, **arrays)
    temporary.rename(path)


def _load_part(path, count):
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as archive:
        results = json.loads(archive["facts"].tobytes())
        for name in archive.files:
            if name != "facts":
                number, key = name.split("/")
                results[int(number)][key] = archive[name]
    return results if len(results) == count else None


def _once(corpus, config, counts):
    """The items to read: one path per MIDI file where duplicates are dropped, at most `max_songs`."""
    items, first = corpus.items, {}
    for item in items:
        first.setdefault(item.facts.get("md5") or str(item.path), item)
    counts["MIDI files, each counted once"] = len(first)
    if config.deduplicate:
        counts["further paths of a MIDI file already read"] = len(items) - len(first)
        items = list(first.values())
    return items[: config.max_songs] if config.max_songs else items


def _kept(result, seen, config, counts):
    """{bars: mask of the windows to keep}: where duplicates are dropped, those not `seen` before, which grows."""
    found = {}
    for bars in BARS:
        digests = [bytes(row) for row in result[f"digest_{bars}"].view("u1").reshape(-1, 16)]
        found[bars] = np.ones(len(digests), bool)
        if config.deduplicate:
            for k, digest in enumerate(digests):
                found[bars][k] = digest not in seen[bars]
                seen[bars].add(digest)
            counts[f"{bars}-bar windows already seen"] += int((~found[bars]).sum())
        counts[f"{bars}-bar windows kept"] += int(found[bars].sum())
    return found


def _build(corpus, config, parts, writer):
    """Fill a store from a corpus; prints a count for every filter."""
    counts = Counter({"files": len(corpus.items)})
    songs, base, token, rows = [], [], [], {bars: [] for bars in BARS}
    seen, begin = {bars: set() for bars in BARS}, 0
    for item, result in _parts(_once(corpus, config, counts), config, parts):
        if "reason" in result:
            counts[f"dropped: {result['reason'] if result['by_rule'] else UNREADABLE}"] += 1
            writer.reject(item.path, result["reason"], by_rule=result["by_rule"])
            continue
        counts.update(result["counts"])
        keep = _kept(result, seen, config, counts)
        if not any(mask.any() for mask in keep.values()):
            counts["dropped: no window left"] += 1
            writer.reject(item.path, "no window of 2 or 16 bars passes the silence and uniqueness rules",
                          by_rule=True)
            continue
        for bars in BARS:
            rows[bars].append((result[f"offset_{bars}"][keep[bars]] + begin, len(songs)))
        base.append(result["base"])
        token.append(result["tokens"])
        begin += len(result["base"])
        songs.append((item, result["steps"]))
    if not songs:
        kinds = ", ".join(f"{number} {name}" for name, number in counts.items() if name.startswith("dropped"))
        raise store.StoreError(
            f"{corpus.root}: no file passes the filters of section 4.1 ({kinds}); add songs in 4/4 with "
            "drums, bass, guitar or piano, and another instrument"
        )
    writer.array("base", np.concatenate(base))
    writer.array("tokens", np.concatenate(token))
    rng = np.random.default_rng(0)
    for bars in BARS:
        offset = np.concatenate([found for found, _ in rows[bars]])
        owner = np.concatenate([np.full(len(found), song, np.int32) for found, song in rows[bars]])
        writer.array(f"offset_{bars}", offset)
        writer.array(f"song_{bars}", owner)
        writer.array(f"shift_{bars}", rng.choice(TRANSPOSITIONS, len(offset)).astype(np.int8))
    _describe(songs, config, counts, writer)


def _describe(songs, config, counts, writer):
    """Tags, artists and index rows of the songs kept, (item, steps) each; the counts, stored and printed."""
    terms = [list(item.facts.get("terms") or []) for item, _ in songs]
    names, distinct, share = common_tags(terms, config.genres)
    tags = np.array([[bool(name) and name in song for name in names] for song in terms], np.uint8)
    writer.array("tags", tags)
    writer.array("genres", np.array(names, dtype="U64"))
    writer.array("placement", related_order(tags))
    owner = joined_groups([(f"artist {item.artist or item.group}", f"group {item.group}") for item, _ in songs])
    codes = np.unique([owner[f"group {item.group}"] for item, _ in songs], return_inverse=True)[1]
    writer.array("artist", codes.astype(np.int32))
    counts["songs kept"], counts["distinct genre tags"] = len(songs), distinct
    counts["songs without one of the tags"] = int((tags.sum(axis=1) == 0).sum())
    writer.facts |= {"counts": dict(counts), "tag_share": share, "genres": names}
    for item, steps in songs:  # no label column: a song has many tags, or none
        writer.row(item=item.id, group=item.group, split=item.split or "", frames=steps, path=str(item.path))
    print("\n".join(f"  {value:>10,} {name}" for name, value in counts.items()))
    lost = counts["notes without an onset on the grid"] / max(1, counts["notes"])
    print(f"  {lost:.1%} of the notes are lost on this grid ({config.quantiser})")
    print(f"  {share:.1%} of all tags are among the {config.genres} commonest")


def preprocess(config: settings.Config, data: Path | None, preset: str, stores: Path, null: bool = False,
               corpus: Corpus | None = None) -> store.Store:
    """The store of a corpus, built unless it is there already; `data.windows` says what it holds.

    Interrupted, it goes on with the next part of 256 files. Raises corpora.DataError for a missing data set and
    store.StoreError where no file passes the filters.
    """
    corpus = corpus or demo.find(data, "lmd_matched", preset, null)  # reads any folder of MIDI files too
    parameters = recipe(config)
    parts = Path(stores) / f".musae-{sha256([corpus.fingerprint, parameters, store.code_of(__name__)])[:12]}"
    made = store.prepare(corpus, parameters, stores, lambda writer: _build(corpus, config, parts, writer))
    shutil.rmtree(parts, ignore_errors=True)
    return made


def main() -> None:
    """The script: options, corpus, store."""
    from common import process, scripts

    options, resolved, _, _ = scripts.parse(settings, __doc__)
    with process.one_line_errors():
        made = preprocess(resolved, options.data, options.preset, options.stores, options.null)
    print(made.directory)


if __name__ == "__main__":
    main()
