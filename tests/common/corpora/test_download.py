"""Downloads from a server on loopback: whole, gone on with after a cut, wrong, dead; archives that leave the folder."""

import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest

from common.corpora import download
from common.corpora.download import Archive, Source
from common.errors import DataError

LINK = zipfile.ZipInfo("l")
LINK.external_attr = 0o120777 << 16  # as Info-ZIP stores a symbolic link
SOUND = np.random.default_rng(0).bytes(4_000_000)  # of more than one piece, and not to be compressed


@pytest.fixture
def server():
    """A server with `files` {path: bytes}, `cut` {path: bytes sent before the line breaks}, and `ranges` asked for."""
    files, cut, ranges = {}, {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            asked = self.headers.get("Range")
            ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.wfile.write(body[start:cut.pop(self.path)] if self.path in cut else body[start:])
            self.close_connection = True

        def do_HEAD(self):
            found = self.path in files
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(files.get(self.path, b""))))
            self.end_headers()

        def log_message(self, *words):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    running.files, running.cut, running.ranges = files, cut, ranges
    yield running
    running.shutdown()
    running.server_close()


def zipped(entries: dict) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in entries.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def tarred(entries: dict, link: tuple = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, body in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
        if link:
            entry = tarfile.TarInfo(link[0])
            entry.type, entry.linkname = tarfile.SYMTYPE, link[1]
            archive.addfile(entry)
    return buffer.getvalue()


def source(server, *files) -> dict:
    """SOURCES with one data set "set" of what the server holds, checksums as they should be."""
    port = server.server_address[1]
    archives = tuple(Archive(f"http://127.0.0.1:{port}/{name}?download=1", f"sha1:{hashlib.sha1(body).hexdigest()}")
                     for name, body in files)
    server.files |= {f"/{name}?download=1": body for name, body in files}
    return {"set": Source("A set", "CC BY 4.0", "https://example.org/set", archives)}


def test_whole(server, tmp_path, capsys):
    sources = source(server, ("a.zip", zipped({"a/one.wav": SOUND})), ("b.tar.gz", tarred({"b/two.mid": b"2"})),
                     ("c.csv", b"x,y\n"))
    download.get("set", tmp_path / "new", yes=True, sources=sources)
    kept = {p.relative_to(tmp_path / "new").as_posix(): p.read_bytes() for p in (tmp_path / "new").rglob("*")
            if p.is_file() and p.name[0] != "."}
    assert kept == {"a/one.wav": SOUND, "b/two.mid": b"2", "c.csv": b"x,y\n"}
    assert "CC BY 4.0" in capsys.readouterr().out
    asked = len(server.ranges)
    download.get("set", tmp_path / "new", yes=True, sources=sources)
    assert len(server.ranges) == asked  # what is there is not asked for again


def test_after_a_cut_only_the_rest_is_asked_for(server, tmp_path):
    body = zipped({"one.wav": SOUND})
    sources = source(server, ("a.zip", body))
    server.cut["/a.zip?download=1"] = 2_500_000
    download.get("set", tmp_path, yes=True, sources=sources)
    assert (tmp_path / "one.wav").read_bytes() == SOUND
    assert server.ranges[0] is None
    assert server.ranges[1].startswith("bytes=")
    assert 0 < int(server.ranges[1][6:-1]) <= 2_500_000


def test_a_part_left_by_an_earlier_call_is_gone_on_with(server, tmp_path):
    body = zipped({"one.wav": SOUND})
    sources = source(server, ("a.zip", body))
    (tmp_path / "a.zip.part").write_bytes(body[:1000])
    download.get("set", tmp_path, yes=True, sources=sources)
    assert server.ranges == ["bytes=1000-"]
    (tmp_path / ".a.zip.done").unlink()
    (tmp_path / "a.zip.part").write_bytes(body)  # stopped between the last byte and the check
    download.get("set", tmp_path, yes=True, sources=sources)
    assert (tmp_path / "one.wav").read_bytes() == SOUND


def test_wrong_bytes_are_removed_and_named(server, tmp_path):
    sources = source(server, ("a.zip", zipped({"one.wav": b"1"})))
    server.files["/a.zip?download=1"] = zipped({"one.wav": b"2"})
    with pytest.raises(DataError, match=r"its sha1 is [0-9a-f]{40}, published is"):
        download.get("set", tmp_path, yes=True, sources=sources)
    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_dead_address_names_the_page(server, tmp_path):
    sources = source(server, ("a.zip", b"x"))
    server.files.clear()
    with pytest.raises(DataError, match=r"no file there \(404\). Look at https://example.org/set"):
        download.get("set", tmp_path, yes=True, sources=sources)


def test_a_server_that_always_breaks_off_is_given_up_with_what_to_do(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_fetch", lambda *_: (_ for _ in ()).throw(download.requests.ConnectionError("cut")))
    with pytest.raises(DataError, match="broke 5 times.*goes on where it stopped.*yourself"):
        download.get("set", tmp_path, yes=True, sources=source(server, ("a.zip", b"x")))


@pytest.mark.parametrize(("name", "body", "said"), [
    ("a.tar.gz", tarred({"ok.mid": b"1", "../out.mid": b"2"}), "leaves the folder"),
    ("a.tar.gz", tarred({"/tmp/out.mid": b"2"}), "leaves the folder"),
    ("a.tar.gz", tarred({"ok.mid": b"1"}, link=("l", "../../secret")), "is a link"),
    ("a.zip", zipped({"ok.wav": b"1", "../out.wav": b"2"}), "leaves the folder"),
    ("a.zip", zipped({"ok.wav": b"1", LINK: b"../../secret"}), "is a link"),
    ("a.tar.gz", tarred({"a.mid": SOUND})[:-40], "damaged archive"),
    ("a.zip", b"no archive at all", "damaged archive"),
])
def test_an_archive_that_would_leave_the_folder_is_refused_whole(server, tmp_path, name, body, said):
    with pytest.raises(DataError, match=said):
        download.get("set", tmp_path / "in", yes=True, sources=source(server, (name, body)))
    assert not list(tmp_path.rglob("out.*"))
    assert not list(tmp_path.rglob("ok.*"))


def test_without_consent_and_without_room_nothing_is_asked_of_the_server(server, tmp_path, monkeypatch):
    sources = source(server, ("a.zip", SOUND))
    with pytest.raises(DataError, match="--yes"):
        download.get("set", tmp_path, sources=sources)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(DataError, match="GiB free"):
        download.get("set", tmp_path, yes=True, sources=sources)
    with pytest.raises(DataError, match="medley_solos_db.*can"):
        download.get("gtzan", tmp_path, yes=True)
    assert server.ranges == []


def test_every_checksum_and_size_is_the_one_data_readme_gives():
    from common.closure import ROOT

    text = (ROOT / "data" / "README.md").read_text()
    for data_set in download.SOURCES.values():
        for archive in data_set.archives:
            assert archive.checksum.split(":")[1] in text, archive.name
            assert archive.name in text


def test_the_command_line_asks_with_one_line_and_exit_code_2(tmp_path, capfd):
    from common.corpora import __main__

    with pytest.raises(SystemExit) as end:
        __main__.main(["get", "gtzan", str(tmp_path), "--yes"])
    assert end.value.code == 2
    assert capfd.readouterr().err.splitlines() == [
        "error: gtzan: cannot be downloaded; "
        "medley_solos_db, fma_metadata, fma_small, fma_medium, fma_large, lakh can. "
        "For the others see data/README.md."]


def test_an_archive_that_is_there_is_unpacked_without_a_server(server, tmp_path, capsys):
    """Got before its unpacking was stopped, or put there by hand as the message says when the address is gone."""
    body = zipped({"one.wav": SOUND})
    sources = source(server, ("a.zip", body))
    server.files.clear()
    (tmp_path / "a.zip").write_bytes(body)
    download.get("set", tmp_path, sources=sources)  # nothing to download: nothing is asked
    assert (tmp_path / "one.wav").read_bytes() == SOUND and server.ranges == []
    (tmp_path / "one.wav").unlink()
    capsys.readouterr()
    download.get("set", tmp_path, sources=sources)
    assert "To get it again remove .a.zip.done" in capsys.readouterr().out


def test_an_archive_with_other_bytes_is_got_again(server, tmp_path):
    sources = source(server, ("a.zip", zipped({"one.wav": SOUND})))
    (tmp_path / "a.zip").write_bytes(b"half of it")
    download.get("set", tmp_path, yes=True, sources=sources)
    assert (tmp_path / "one.wav").read_bytes() == SOUND and server.ranges == [None]


def test_of_what_is_half_there_only_the_rest_must_fit(server, tmp_path, monkeypatch):
    body = zipped({"one.wav": SOUND})
    sources = source(server, ("a.zip", body))
    (tmp_path / "a.zip.part").write_bytes(body[:3_000_000])
    free = iter((len(body) - 2_999_999, 10**9))  # before the download, before unpacking
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: SimpleNamespace(free=next(free)))
    download.get("set", tmp_path, yes=True, sources=sources)
    assert server.ranges == ["bytes=3000000-"] and (tmp_path / "one.wav").read_bytes() == SOUND
