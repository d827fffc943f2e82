"""What a corpus is evidence of, decided by what is in its files and not by what they are called.

`settled` is asked by `store.prepare` and by `check`, so that both say the same:

- a file that carries the mark of a demo corpus makes all of it "demo", wherever it lies and whatever it is called;
- a data set is called by its name only where each of its files equals the checksum its publisher gives; else it is
  "files named as" it, under the name `named-<data set>`, and nothing is compared with what was printed for the set;
- "published" are such files when none is missing; anything else that is real is "other";
- `without` takes the level away again where the preprocessing cannot use one of them.

Of FMA's clips no checksums are published but a list inside the archive: their size and lengths are looked at as well.
"""

from dataclasses import replace
from pathlib import Path, PurePath

from common.corpora import fma, gtzan, known, lakh, medley_solos_db, orchestral
from common.corpora.items import Corpus

TITLES = {reader.NAME: reader.TITLE for reader in (gtzan, fma.SMALL, fma.MEDIUM, fma.LARGE, medley_solos_db, lakh)}
FMA = {reader.NAME: reader for reader in (fma.SMALL, fma.MEDIUM, fma.LARGE)}
NAMED = "named-"  # before the name of a data set whose contents are not those published
ADVICE = {
    gtzan.NAME: "checksums are known of the .wav version only",
    medley_solos_db.NAME: "checksums are known of the .wav files only",
    **dict.fromkeys(FMA, "the archive's file `checksums` belongs beside the folders of clips"),
    lakh.NAME: "a file is named after its checksum",
}


def settled(corpus: Corpus) -> Corpus:
    """The corpus with name, evidence and a sentence (`said`) that its contents allow. Reads every file once."""
    if corpus.evidence == "demo":
        return corpus
    contents = [corpus.contents[item.path] for item in corpus.items]
    marks = [content.mark for content in contents if content.mark]
    if marks:
        facts = {"null": any(shuffled for _, _, shuffled in marks), "demo_seed": marks[0][1]}
        carry = "every file carries its mark" if len(marks) == len(contents) else (
            f"{len(marks):,} of {len(contents):,} files carry its mark")  # fmt: skip
        said = f"{demo(facts['demo_seed'], facts['null'])}: {carry}"  # type: ignore[arg-type]
        return replace(corpus, evidence="demo", facts={**corpus.facts, **facts}, said=said)
    if corpus.name == orchestral.NAME:
        return replace(corpus, said="the paper's recordings are sold, not published: no copy can be checked")
    if corpus.name not in TITLES:
        return replace(corpus, said="files of your own")
    return _compared(corpus)


def without(corpus: Corpus, unusable: list[tuple[str, str]]) -> Corpus:
    """A settled corpus, given (path, reason) of its files that cannot be decoded or used: then no longer "published".

    Files that their publisher's users know to be bad, and that are published all the same, do not count.
    """
    if corpus.evidence != "published":
        return corpus
    faults = {row["track"] for row in known.table("fma_known_bad")} if corpus.name in FMA else set()
    lost = [(path, reason) for path, reason in unusable if PurePath(path).stem not in faults]
    if not lost:
        return corpus
    said = f"{corpus.said}, but {len(lost):,} could not be used (first: {lost[0][0]}: {lost[0][1]})"
    return replace(corpus, evidence="other", said=said)


def demo(seed: int, null: bool) -> str:
    """What is said of a demo corpus."""
    return f"a demo corpus written by Encore (seed {seed}{', twin with shuffled labels' if null else ''})"


def _compared(corpus: Corpus) -> Corpus:
    """A published data set's files against the publisher's checksums."""
    title, count = TITLES[corpus.name], len(corpus.items)
    unknown = [item for item in corpus.items if not item.checksum]
    other = [item for item in corpus.items if item.checksum and corpus.contents[item.path].checksum != item.checksum]
    if other or unknown:
        found = []
        if other:
            found.append(f"{len(other):,} have other contents than published (first: {_shown(other[0].path, corpus)})")
        if unknown:
            found.append(f"of {len(unknown):,} no checksum is known (first: {_shown(unknown[0].path, corpus)})")
        said = f"{count:,} files have {title}'s names, {', '.join(found)}; treated as other data: {ADVICE[corpus.name]}"
        facts = {**corpus.facts, "other_contents": len(other), "no_checksum": len(unknown)}
        return replace(corpus, name=NAMED + corpus.name, facts=facts, said=said)
    unlike = FMA[corpus.name].unlike(corpus.items) if corpus.name in FMA and corpus.complete else ""
    if unlike:
        said = f"{count:,} files have {title}'s names, {unlike}; treated as other data"
        return replace(corpus, name=NAMED + corpus.name, said=said)
    unique = corpus.facts.get("unique_files", count)
    said = f"{unique:,} of {published(corpus.name):,} published files, each with the published contents"
    if corpus.complete:
        return replace(corpus, evidence="published", said=f"{said}, complete")
    return replace(corpus, said=said)


def published(name: str) -> int:
    """How many files the data set `name` has as published, also under files that only have its names; 0 for others."""
    return sum(known.counts(name.removeprefix(NAMED)).values())


def _shown(path: Path, corpus: Corpus) -> str:
    return ascii(path.relative_to(corpus.root).as_posix())[1:-1]
