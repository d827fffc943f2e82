"""Any folder of class folders with audio in them: `<class>/<file>`."""

from pathlib import Path

from common.corpora.items import Corpus, Item, safe_id
from common.corpora.listing import AUDIO, files_under, subfolders

NAME = "folder"
TITLE = "A folder of class folders"
NEEDS = "<class>/<file> with audio files"


def locate(folder: Path) -> Path | None:
    """`folder` itself where at least one folder in it holds audio."""
    for candidate in subfolders(folder):
        try:
            if any(path.suffix.lower() in AUDIO for path in candidate.iterdir()):
                return folder
        except OSError:
            continue
    return None


def read(root: Path) -> Corpus:
    """All audio files below the class folders; label = class, group = the file itself."""
    paths, rejected = files_under(root, AUDIO)
    items, ids = [], set()
    for path in paths:
        parts = path.relative_to(root).parts
        if len(parts) == 1:
            rejected.append((path, "lies beside the class folders, so it has no label"))
            continue
        name = safe_id(".".join((*parts[:-1], path.stem)))
        name = name if name not in ids else safe_id("/".join(parts))  # a.wav beside a.mp3
        ids.add(name)
        items.append(Item(name, path, parts[0], name))
    return Corpus(f"folder-{safe_id(root.resolve().name)}", root, "other", items, rejected)
