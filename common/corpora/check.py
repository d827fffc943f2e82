"""What is in a folder: what it is evidence of, every file opened, and what to run next.

The first line says what a run on it would say: both ask `common.corpora.evidence`.
"""

import ast
import hashlib
import os
import re
import shlex
from collections import Counter, defaultdict
from pathlib import Path

import joblib
from tqdm import tqdm

from common import audio
from common.corpora import evidence, finding, known
from common.corpora.items import Corpus
from common.corpora.listing import MIDI, not_followed
from common.errors import DataError

SHOWN = 12  # files named under one heading
MD5 = re.compile(r"[0-9a-f]{32}")
OF_INTACT_SETS = ("known to be damaged", "has no root genre in tracks.csv")  # why files of these are left out


def report(directory: Path, quick: bool = False) -> int:
    """Print the state of every data set at `directory`.

    Returns: 0 when every file there is usable and none that the data set's own tables name is missing, else 1.

    Raises:
        DataError: no such folder, or nothing in it has the layout of a data set.
    """
    if not directory.is_dir():
        raise DataError(f"{directory}: {'not a folder' if directory.exists() else 'no such folder'}.")
    finding.refuse_locked(directory)
    found = finding.recognise(directory)
    if not found:
        layouts = "".join(f"\n  {reader.TITLE}: {reader.NEEDS}" for reader in finding.READERS.values())
        links = not_followed(directory)
        raise DataError(f"{directory}: no data set recognised.{links} Known layouts:{layouts}\nSee data/README.md.")
    code = 0
    for name, root in found:
        code = max(code, _report_one(name, root, quick))
    for command in _next_commands([name for name, _ in found], directory):
        print(f"Next: {command}")
    return code


def _report_one(name: str, root: Path, quick: bool) -> int:
    corpus = found = finding.read(name, root)
    title = "A folder of MIDI files" if corpus.name == "midi-folder" else finding.READERS[name].TITLE
    damaged, short = [], []
    if quick:
        print(f"{title} at {root}: {_names_only(corpus)}")
    else:
        damaged, short = _open_all(corpus)
        corpus = evidence.without(evidence.settled(found), damaged + short)
        print(f"{title} at {root}: {len(corpus.items):,} files, evidence `{corpus.evidence}`: {corpus.said}")
    _print_counts(name, corpus)
    _print_splits(corpus)
    # The demo GTZAN is not meant to have the published tracks; the other sets name their files in a table of their own.
    missing = [] if name == "gtzan" and corpus.evidence == "demo" else corpus.missing
    _print_list("missing", missing)
    _print_list("left out", [f"{_shown(path, root)}: {reason}" for path, reason in corpus.rejected])
    _print_list("known faults, kept", _known_faults(name, corpus))
    _print_list("unreadable", [": ".join(row) for row in damaged])
    _print_list("shorter than declared, used as far as they go", [": ".join(row) for row in short])
    _print_list("the same file under several names", [] if quick else _same_content(found))
    unknown = [reason for _, reason in corpus.rejected if not any(known_one in reason for known_one in OF_INTACT_SETS)]
    return int(bool(damaged or unknown or missing or corpus.facts.get("other_contents")))


def _names_only(corpus: Corpus) -> str:
    if corpus.evidence == "demo":
        return f"{len(corpus.items):,} files, {corpus.said}"
    count, published = corpus.facts.get("unique_files", len(corpus.items)), evidence.published(corpus.name)
    of = f" with names of the {published:,} published ones" if published else ""
    return f"{count:,} files{of}; their contents decide what they are evidence of (check without --quick)"


def _print_counts(name: str, corpus: Corpus) -> None:
    published = known.counts(name)
    counts = corpus.counts()
    for label, count in list(counts.items())[:40]:
        aside = f" of {published[label]:,}" if corpus.evidence != "demo" and label in published else ""
        print(f"  {label}: {count:,}{aside}")
    if len(counts) > 40:
        print(f"  and {len(counts) - 40} more labels")
    absent = [label for label in published if label and label not in counts and corpus.evidence != "demo"]
    if absent:
        print(f"  none of: {', '.join(absent)}")
    if corpus.groups_per_class == 1:
        print("  a class has a single group (track, song or work): splits are in time, and no finding gets a verdict")


def _print_splits(corpus: Corpus) -> None:
    splits = Counter(item.split for item in corpus.items if item.split)
    if not splits:
        print(f"  no official split; {len({item.group for item in corpus.items}):,} groups to split by")
        return
    print("  splits: " + ", ".join(f"{name} {count:,}" for name, count in sorted(splits.items())))
    for kind in ("group", "artist"):
        sides = defaultdict(set)
        for item in corpus.items:
            sides[getattr(item, kind)].add(item.split)
        both = sum(len(names) > 1 for owner, names in sides.items() if owner is not None)
        if both:
            print(f"  {both} {kind}s are in more than one of the splits")


def _print_list(heading: str, lines: list[str]) -> None:
    if lines:
        print(f"  {heading} ({len(lines)}):")
        for line in lines[:SHOWN]:
            print(f"    {line}")
        if len(lines) > SHOWN:
            print(f"    and {len(lines) - SHOWN} more")


def _shown(path: Path, root: Path) -> str:
    """The path below `root`, as text that can be printed whatever its name."""
    relative = path.relative_to(root) if path.is_relative_to(root) else path
    return ascii(relative.as_posix())[1:-1] if not relative.as_posix().isprintable() else relative.as_posix()


def _known_faults(name: str, corpus: Corpus) -> list[str]:
    here = {item.id for item in corpus.items}
    if corpus.evidence == "demo":  # its names are those of other tracks
        return []
    if name.startswith("fma"):
        rows = [row for row in known.table("fma_known_bad") if row["effect"] != "no audio" and row["track"] in here]
        return [f"{row['track']}: {row['reason']}" for row in rows]
    if name == "gtzan":
        pairs = [(row["first"], row["second"]) for row in known.table("gtzan_duplicates")]
        both = [pair for pair in pairs if pair[0] in here and pair[1] in here]
        return [f"{first} and {second} are the same recording; they share a group" for first, second in both]
    return []


def _open_all(corpus: Corpus) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Files that cannot be read, and those that hold less than they declare: (path, reason) of each."""
    cores = min(len(os.sched_getaffinity(0)), 16)
    paths = [item.path for item in corpus.items]
    tasks = (joblib.delayed(opened)(path) for path in paths)
    results = joblib.Parallel(n_jobs=cores if len(paths) > 200 else 1, return_as="generator")(tasks)
    damaged, short = [], []
    for path, (damage, shortness) in zip(
        paths, tqdm(results, total=len(paths), desc="opening", unit="file"), strict=True
    ):
        name = _shown(path, corpus.root)
        if damage:
            damaged.append((name, damage))
        if shortness:
            short.append((name, shortness))
    return damaged, short


def opened(path: Path) -> tuple[str, str]:
    """(why the file cannot be used, how much is missing at its end); empty where there is nothing to say."""
    if path.suffix.lower() in MIDI:
        return _opened_midi(path), ""
    try:
        samples, _, declared, _ = audio.read(path, mono=True)
    except audio.AudioError as error:
        return _reason(error, path), ""
    got = len(samples)
    return "", f"{got:,} of {declared:,} declared frames" if got < declared else ""


def _opened_midi(path: Path) -> str:
    from common import midi

    try:
        midi.read(path)
    except midi.MidiError as error:
        return _reason(error, path)
    if MD5.fullmatch(path.stem) and hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != path.stem:
        return "its content is not the one its name (the MD5 sum) stands for"
    return ""


def _reason(error: Exception, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")


def _same_content(corpus: Corpus) -> list[str]:
    """Different items with the same bytes; files of Lakh that lie under several tracks by design are not meant."""
    by_content = defaultdict(list)
    for item in corpus.items:
        if digest := corpus.contents[item.path].sha256:  # "" where it cannot be read
            by_content[digest].append(item)
    groups = [items for items in by_content.values() if len({item.facts.get("md5", item.id) for item in items}) > 1]
    return [", ".join(_shown(item.path, corpus.root) for item in items) for items in groups]


def _next_commands(names: list[str], directory: Path) -> list[str]:
    """`make` for every paper whose settings name one of these data sets, its own or others that it takes."""
    commands = []
    for path in sorted((Path(__file__).parents[2] / "papers").glob("*/config.py")):
        found = re.findall(r"^(?:DATA_SETS|TAKES_TOO) = (\([^)]*\))", path.read_text(encoding="utf-8"), re.MULTILINE)
        if set(names) & {name for taken in found for name in ast.literal_eval(taken)}:
            commands.append(f"make reproduce-{path.parent.name} DATA={shlex.quote(str(directory))}")
    return commands
