"""Files of a folder, in order, without ever leaving it."""

import os
from pathlib import Path

from common.errors import DataError

AUDIO = (".wav", ".au", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus")
MIDI = (".mid", ".midi")
MAX_ENTRIES = 2_000_000  # a data set of this project has at most 107,000 files


def files_under(root: Path, extensions: tuple[str, ...], depth: int = 8) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Files with one of `extensions` (lower case) below `root`, sorted by their path, and (path, reason) of refusals.

    Hidden entries are passed over. Links to folders and links that lead out of `root` are refused, and so are names
    that are not valid text.

    Raises:
        DataError: `root` cannot be read, or holds more than two million entries.
    """
    found, refused = [], []
    resolved = os.path.realpath(root)
    pending = [(str(root), depth)]
    seen = 0
    while pending:
        folder, left = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            if folder == str(root):
                raise DataError(
                    f"{root}: cannot be read ({error.strerror}). Check the path and its permissions."
                ) from None
            refused.append((Path(folder), f"folder cannot be read ({error.strerror})"))
            continue
        seen += len(entries)
        if seen > MAX_ENTRIES:
            raise DataError(f"{root}: more than {MAX_ENTRIES:,} entries. Give the folder of one data set.")
        for entry in entries:
            if entry.name.startswith("."):
                continue
            reason = _refusal(entry, resolved)
            if entry.is_dir(follow_symlinks=False) and not reason:
                if left:
                    pending.append((entry.path, left - 1))
            elif reason and (entry.name.lower().endswith(extensions) or os.path.isdir(entry.path)):
                refused.append((Path(entry.path), reason))
            elif not reason and entry.name.lower().endswith(extensions) and entry.is_file():
                found.append(entry.path)
    found.sort()
    return [Path(path) for path in found], sorted(refused, key=lambda row: str(row[0]))


def _refusal(entry: os.DirEntry, resolved_root: str) -> str | None:
    try:
        entry.name.encode("utf-8")
    except UnicodeEncodeError:
        return "name is not valid text"
    if not entry.name.isprintable():
        return "name holds control characters"
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        if os.path.commonpath([target, resolved_root]) != resolved_root:
            return "link leads out of the folder"
        if os.path.isdir(target):
            return "link to a folder"
        if not os.path.exists(target):
            return "link to nothing"
    return None


def inside(root: Path, relative: str) -> Path:
    """`root / relative`, refused where it would leave `root`.

    Raises:
        DataError: `relative` is absolute, holds `..` or leads through a link out of `root`.
    """
    path = root / relative
    if (
        Path(relative).is_absolute()
        or ".." in Path(relative).parts
        or not path.resolve().is_relative_to(root.resolve())
    ):
        raise DataError(f"{relative!r} leads out of {root}. Correct the table that names it.")
    return path


def subfolders(root: Path) -> list[Path]:
    """Folders directly below `root`, in order, links left out."""
    return [Path(entry.path) for entry in _entries(root) if entry.is_dir(follow_symlinks=False)]


def not_followed(root: Path) -> str:
    """A sentence that names the links to folders directly below `root`; "" where there are none."""
    links = [entry.name for entry in _entries(root) if entry.is_symlink() and os.path.isdir(entry.path)]
    if not links:
        return ""
    names = ", ".join(ascii(name)[1:-1] for name in links[:3]) + (f" and {len(links) - 3} more" if links[3:] else "")
    return f" {names}: links to folders are not followed; put the folders themselves there."


def _entries(root: Path) -> list[os.DirEntry]:
    try:
        return sorted((entry for entry in os.scandir(root) if entry.name[0] != "."), key=lambda entry: entry.name)
    except OSError:
        return []
