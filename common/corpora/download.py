"""`python -m common.corpora get NAME DIR`: the data sets that may be downloaded, whole or not at all.

Size and licence are shown and confirmed first. A broken download goes on where it stopped (pooch, which other loaders
use, cannot); archives are compared with the publisher's checksum before they are opened, and no entry of one leaves the
folder. `make` downloads nothing.
"""

import hashlib
import shutil
import stat
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import requests
from tqdm import tqdm

from common.errors import DataError

GIB = 1 << 30
TIMEOUT = (15, 60)  # seconds to connect, and between two pieces
PIECE = 1 << 20
ATTEMPTS = 5  # a connection that breaks is taken up again this often without being asked


@dataclass(frozen=True)
class Archive:
    """One file to download.

    Attributes:
        url: where it is. `checksum`: "sha1:…", as the publisher or another loader gives it.
        into: the folder below the data set's in which its entries belong, "" for that folder itself; a file that is no
            archive is put there.
    """

    url: str
    checksum: str
    into: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.split("?")[0].rsplit("/", 1)[1]


@dataclass(frozen=True)
class Source:
    """A data set that may be downloaded: what it is, its licence, the page to look at where an address is dead."""

    title: str
    licence: str
    page: str
    archives: tuple[Archive, ...]


_FMA = "https://os.unil.cloud.switch.ch/fma/"
_MEDLEY = "https://zenodo.org/record/3464194/files/"
_LAKH = "http://hog.ee.columbia.edu/craffel/lmd/"
_FMA_METADATA = Archive(f"{_FMA}fma_metadata.zip", "sha1:f0df49ffe5f2a6008d7dc83c6915b31835dfe733")
_FMA_LICENCE = "each clip under the licence its artist chose, metadata CC BY 4.0"
_FMA_PAGE = "https://github.com/mdeff/fma"

SOURCES = {
    "medley_solos_db": Source(
        "Medley-solos-DB 1.2", "CC BY 4.0", "https://zenodo.org/record/3464194",
        (Archive(f"{_MEDLEY}Medley-solos-DB_metadata.csv", "md5:fda6a589c56785f2195c9227809c521a"),
         Archive(f"{_MEDLEY}Medley-solos-DB.tar.gz", "md5:f5facf398793ef5c1f80c013afdf3e5f", "audio"))),
    "fma_metadata": Source("FMA, metadata", "CC BY 4.0", _FMA_PAGE, (_FMA_METADATA,)),
    "fma_small": Source(
        "FMA small, with metadata", _FMA_LICENCE, _FMA_PAGE,
        (_FMA_METADATA, Archive(f"{_FMA}fma_small.zip", "sha1:ade154f733639d52e35e32f5593efe5be76c6d70"))),
    "fma_medium": Source(
        "FMA medium, with metadata", _FMA_LICENCE, _FMA_PAGE,
        (_FMA_METADATA, Archive(f"{_FMA}fma_medium.zip", "sha1:c67b69ea232021025fca9231fc1c7c1a063ab50b"))),
    "fma_large": Source(
        "FMA large, with metadata", _FMA_LICENCE, _FMA_PAGE,
        (_FMA_METADATA, Archive(f"{_FMA}fma_large.zip", "sha1:497109f4dd721066b5ce5e5f250ec604dc78939e"))),
    "lakh": Source(
        "Lakh MIDI, matched, with the Million Song Dataset's records", "CC BY 4.0",
        "https://colinraffel.com/projects/lmd/",
        (Archive(f"{_LAKH}lmd_matched.tar.gz",
                 "sha256:621ff830aed771f469e5bfa13dc12a33c6ed69090adeda63d0b5c47783af0191"),
         Archive(f"{_LAKH}lmd_matched_h5.tar.gz",
                 "sha256:049c62c0d90c7fd2a29352a1c745d12fb53019dcf2e74a3b29953f046aef3d1b"))),
}


def get(name: str, directory: Path, yes: bool = False, sources: dict[str, Source] = SOURCES) -> None:
    """Download data set `name` into `directory`, unpack it there, and remove the archives.

    Args:
        yes: do not ask. sources: where to get what, for tests on a server of their own.

    Raises:
        DataError: an unknown name, too little disk, a dead address, a wrong checksum, an archive that would leave the
            folder, or no consent.
    """
    if name not in sources:
        raise DataError(f"{name}: cannot be downloaded; {', '.join(sources)} can. For the others see data/README.md.")
    source, directory = sources[name], Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        missing = [archive for archive in source.archives if not (directory / f".{archive.name}.done").exists()]
        if not missing:
            done = " ".join(f".{archive.name}.done" for archive in source.archives)
            print(f"{source.title}: downloaded and unpacked before. To get it again remove {done} in {directory}")
            return
        there = [archive for archive in missing if _is_whole(directory / archive.name, archive)]
        left = sum(max(0, size_of(archive, source.page) - _size(directory / f"{archive.name}.part"))
                   for archive in missing if archive not in there)
        print(f"{source.title}: {left / GIB:.1f} GiB to download into {directory}, more when unpacked. "
              f"Licence: {source.licence}. From {source.page}", flush=True)
        room(directory, left)
        if left and not yes and not _consent():
            raise DataError(f"{name}: not downloaded. With --yes nothing is asked.")
        for archive in missing:
            path = directory / archive.name if archive in there else download(archive, directory, source.page)
            unpack(path, directory / archive.into)
            (directory / f".{archive.name}.done").touch()
    except OSError as error:
        said = f"{error.filename or directory}: {error.strerror or error}"
        raise DataError(f"{said}. The same command goes on.") from None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _checksum(path: Path, kind: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _is_whole(path: Path, archive: Archive) -> bool:
    """Whether an archive's file is there with the published checksum: got before, or put there by hand."""
    kind, wanted = archive.checksum.split(":")
    return path.exists() and _checksum(path, kind) == wanted


def _consent() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("Download it? [y/N] ").strip().lower() in ("y", "yes")


def room(directory: Path, size: float) -> None:
    """Raise DataError where `size` bytes do not fit on the disk of a folder."""
    if size > (free := shutil.disk_usage(directory).free):
        raise DataError(f"{directory}: {size / GIB:.1f} GiB needed, {free / GIB:.1f} GiB free. Choose another disk.")


def size_of(archive: Archive, page: str) -> int:
    """Bytes of an archive, asked of its server (0 where it does not say).

    Raises:
        DataError: there is no such file.
    """
    try:
        answer = requests.head(archive.url, timeout=TIMEOUT, allow_redirects=True)
        answer.raise_for_status()
        return int(answer.headers.get("Content-Length", 0))
    except requests.RequestException as error:
        raise _dead(archive, page, error) from None


def _dead(archive: Archive, page: str, error: Exception) -> DataError:
    said = getattr(getattr(error, "response", None), "status_code", None) or type(error).__name__
    return DataError(f"{archive.url}: no file there ({said}). Look at {page}, and see data/README.md for what to put "
                     "where.")


def download(archive: Archive, directory: Path, page: str) -> Path:
    """The archive's file in `directory`, its checksum compared; a part that is there is gone on with.

    Raises:
        DataError: the address does not answer as it should, or the bytes are not the published ones.
    """
    path, part = directory / archive.name, directory / f"{archive.name}.part"
    for attempt in range(ATTEMPTS):
        try:
            _fetch(archive, part)
            break
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            if attempt == ATTEMPTS - 1:
                raise DataError(f"{archive.url}: the connection broke {ATTEMPTS} times. The same command goes on where "
                                f"it stopped; if the address is gone, look at {page} and put {archive.name} into "
                                f"{directory} yourself.") from None
        except requests.RequestException as error:
            raise _dead(archive, page, error) from None
    kind, wanted = archive.checksum.split(":")
    found = _checksum(part, kind)
    if found != wanted:
        part.unlink()
        raise DataError(f"{archive.url}: its {kind} is {found}, published is {wanted}; removed. Try again, or look at "
                        f"{page}.")
    part.replace(path)
    return path


def _fetch(archive: Archive, part: Path) -> None:
    """Append to `part` what is missing of the file."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(archive.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # all of it is there
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            have = 0  # the server begins again
        total = have + int(answer.headers.get("Content-Length", 0))
        with open(part, "ab" if have else "wb") as file, tqdm(
                total=total or None, initial=have, desc=archive.name, unit="B", unit_scale=True) as bar:
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                bar.update(len(piece))
    if total and part.stat().st_size < total:
        raise requests.ConnectionError(f"{part.stat().st_size} of {total} bytes")


def unpack(path: Path, into: Path) -> None:
    """Unpack an archive below `into` and remove it; a file that is no archive is moved there.

    Raises:
        DataError: an entry would leave the folder, is a link or a device, too little disk, or the archive is damaged;
            nothing of it is unpacked then.
    """
    into.mkdir(parents=True, exist_ok=True)
    if path.suffix not in (".zip", ".gz"):
        if into != path.parent:
            path.replace(into / path.name)
        return
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                _refuse(path, into, [(e.filename, stat.S_ISLNK(e.external_attr >> 16)) for e in archive.infolist()])
                room(into, sum(entry.file_size for entry in archive.infolist()))
                archive.extractall(into)
        else:
            with tarfile.open(path) as archive:
                _refuse(path, into, [(e.name, not (e.isfile() or e.isdir())) for e in archive.getmembers()])
                room(into, sum(entry.size for entry in archive.getmembers()))
                archive.extractall(into, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged archive ({error}). Remove it and get it again.") from None
    path.unlink()


def _refuse(path: Path, into: Path, entries: list[tuple[str, bool]]) -> None:
    """Raise DataError for the first entry (name, is something else than a file or folder) that must not be unpacked."""
    root = into.resolve()
    for name, odd in entries:
        if odd or not (root / name).resolve().is_relative_to(root):
            raise DataError(f"{path}: its entry {name!r} {'is a link or a device' if odd else 'leaves the folder'}; "
                            "nothing was unpacked. This is not the published archive.")
