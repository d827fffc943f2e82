"""What is in the files: the hash of their bytes, a publisher's checksum, and the mark of a demo corpus.

Bytes are read once and remembered under path, size, inode and the times of the last write (mtime) and change (ctime).
The ctime is what is trusted: a program may set the mtime back, as `cp -p`, `touch -r` and `rsync -t` do, but every
write and every such setting moves the ctime, which only the system's own clock sets. A file that changed within the two
seconds before it was read is not remembered, since a clock's step may hide a second change. Deleting `data/contents/`
costs nothing but time.
"""

import hashlib
import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

from common.progress import progress

MEMORY = Path("data") / "contents"
WORTH_KEEPING = 200 << 20  # bytes; less is read again in a second
SETTLED = 2 * 10**9  # nanoseconds since the last change
BLOCK = 1 << 20
ALGORITHMS = {32: "md5", 40: "sha1"}  # by the length of a published checksum
MARK = "Encore demo corpus: {name}, seed {seed}, shuffled {shuffled}."
_MARKED = re.compile(rb"Encore demo corpus: (\w+), seed (\d+), shuffled ([01])\.")
_OVERLAP = 120  # bytes, more than a mark takes


@dataclass(frozen=True)
class Content:
    """What one file holds.

    Attributes:
        sha256: of its bytes, "" where it cannot be read.
        checksum: MD5 or SHA-1, whichever was asked for; "" where none was.
        mark: (name, seed, shuffled) that the demo wrote into it, None in any other file.
    """

    sha256: str
    checksum: str = ""
    mark: tuple[str, int, bool] | None = None


def mark(name: str, seed: int, shuffled: bool) -> str:
    """The text that every file of a demo corpus carries as a comment."""
    return MARK.format(name=name, seed=seed, shuffled=int(shuffled))


def of(files: dict[Path, str], root: Path) -> dict[Path, Content]:
    """The contents of files, read in threads.

    Args:
        files: path -> the checksum its publisher gives, "" where there is none; its length tells MD5 from SHA-1.
        root: the corpus they belong to; what was read is remembered for each corpus in one file.
    """
    memory = MEMORY / f"{hashlib.sha256(os.fsencode(os.path.abspath(root))).hexdigest()[:16]}.json"
    known = _remembered(memory)
    found, pending = {}, {}
    for path, published in files.items():
        algorithm = ALGORITHMS.get(len(published), "")
        signature = _signature(path)
        content = known.get(f"{algorithm} {path}")
        if content and content[0] == signature:
            found[path] = Content(content[1], content[2], tuple(content[3]) if content[3] else None)
        else:
            pending[path] = (algorithm, signature)
    if pending:
        size = sum(signature[0] for _, signature in pending.values() if signature)
        now, fresh = time.time_ns(), {}
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            contents = threads.map(lambda path: _read(path, pending[path][0]), pending)
            if size > WORTH_KEEPING:
                contents = progress(contents, f"reading {Path(root).name}", "file", len(pending))  # type: ignore[assignment]
            for (path, (algorithm, signature)), content in zip(pending.items(), contents, strict=True):
                found[path] = content
                if signature and _signature(path) == signature and signature[3] < now - SETTLED:
                    fresh[f"{algorithm} {path}"] = (signature, *astuple(content))
        if size > WORTH_KEEPING:
            _remember(memory, known | fresh)
    return found


def _signature(path: Path) -> list[int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return [stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]


def _read(path: Path, algorithm: str) -> Content:
    whole, other, found, tail = hashlib.sha256(), hashlib.new(algorithm) if algorithm else None, None, b""
    try:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(BLOCK):
                whole.update(block)
                if other:
                    other.update(block)
                found = found or _MARKED.search(tail + block)
                tail = block[-_OVERLAP:]
    except OSError:
        return Content("")
    marked = (found[1].decode(), int(found[2]), found[3] == b"1") if found else None
    return Content(whole.hexdigest(), other.hexdigest() if other else "", marked)


def _remembered(memory: Path) -> dict:
    try:
        return json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _remember(memory: Path, entries: dict) -> None:
    """A memory that cannot be written is no fault: the files are read again."""
    temporary = memory.with_suffix(f".{os.getpid()}.partial")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(entries), encoding="utf-8")
        temporary.replace(memory)
    except OSError:
        temporary.unlink(missing_ok=True)
