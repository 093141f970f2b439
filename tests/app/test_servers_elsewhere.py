"""Photos on SFTP and web servers: as they should be, failing, and lying."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from optional import module

from photosearch import Library
from photosearch.elsewhere.files import is_there, opened
from photosearch.elsewhere.listing import DEEPEST, Listed, Unlisted, listed
from photosearch.elsewhere.servers import elsewhere
from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.events import Failed, Finished
from photosearch.indexing.left_out import is_left_out
from photosearch.indexing.limits import Limits
from photosearch.indexing.scan import Found, Unreadable, is_looked_at, scan
from photosearch.indexing.workers import DecodeWorkers
from photosearch.thumbnail_files import place_of

module("s3fs")
module("aiohttp")
module("paramiko")

from sftp_server import SftpServer, sftp_server  # noqa: E402


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path / "home"


@pytest.fixture
def shared(pictures: Path, tmp_path: Path) -> Path:
    """What a server shows, with photos in the folder "photos"."""
    folder = tmp_path / "shared" / "photos"
    folder.mkdir(parents=True)
    for name in ("coffee.png", "rocket.jpg"):
        shutil.copy(pictures / name, folder)
    return folder.parent


@pytest.fixture
def sftp(shared: Path, home: Path) -> Iterator[SftpServer]:
    with sftp_server(shared, home) as server:
        yield server


def address_of(server: SftpServer) -> str:
    return f"sftp://ada@127.0.0.1:{server.port}/photos"


def nobody() -> int:
    """A port of this machine at which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


everything = partial(listed, is_wanted=is_looked_at, is_left_out=is_left_out)


def told(root: str) -> tuple[list[str], dict[str, str]]:
    """Below this address: the photos that are found, and why others may be there."""
    items = list(scan(root))
    found = [item.path.removeprefix(root) for item in items if isinstance(item, Found)]
    return found, {
        item.path.removeprefix(root): item.reason for item in items if isinstance(item, Unreadable)
    }


@pytest.mark.slow
def test_photos_by_sftp_are_indexed_and_a_dead_host_costs_only_itself(
    sftp: SftpServer, tmp_path: Path, tiny_bundle: Path
) -> None:
    root, dead = address_of(sftp), f"sftp://127.0.0.1:{nobody()}/photos"
    folder = tmp_path / "library"
    with Library.open(folder, model=tiny_bundle) as library:
        events = list(library.index([dead, root], workers=1))
        assert [each.path for each in events if isinstance(each, Failed)] == [dead]
        finished = events[-1]
        assert isinstance(finished, Finished)
        assert finished.indexed == 2
        # A picture that is gone is made anew, though nothing has changed.
        coffee = library.photos.file_at(f"{root}/coffee.png")
        assert coffee is not None
        assert coffee.digest is not None
        small = place_of(folder, coffee.digest)
        small.unlink()
        finished = list(library.index([root], workers=1))[-1]
        assert isinstance(finished, Finished)
        assert (finished.unchanged, finished.reread) == (2, 1)
        assert small.is_file()
        assert library.forget(root, dry_run=True) == 2


def test_a_folder_that_may_not_be_listed_is_told_of(sftp: SftpServer, shared: Path) -> None:
    closed = shared / "photos" / "closed"
    closed.mkdir()
    odd = "100% #1?.jpg"
    shutil.copy(shared / "photos" / "rocket.jpg", shared / "photos" / odd)
    (shared / "photos" / "again").symlink_to(shared / "photos")
    (shared / "photos" / "linked.jpg").symlink_to("rocket.jpg")
    (shared / "photos" / "nowhere.jpg").symlink_to("nothing.jpg")
    root = address_of(sftp)
    found, unreadable = told(root)
    assert sorted(found) == [f"/{odd}", "/coffee.png", "/linked.jpg", "/rocket.jpg"]
    assert unreadable == {"/closed": "may not be read", "/nowhere.jpg": "is not there"}
    sizes = {item.path: item.size for item in everything(root) if isinstance(item, Listed)}
    for name in (odd, "linked.jpg"):
        content = (shared / "photos" / "rocket.jpg").read_bytes()
        assert opened(f"{root}/{name}").getvalue() == content
        assert sizes[f"{root}/{name}"] == len(content)


def test_a_connection_that_died_is_made_anew(sftp: SftpServer) -> None:
    root = address_of(sftp)
    assert len(told(root)[0]) == 2
    opened(f"{root}/rocket.jpg")
    assert len(sftp.connections) == 1
    ours = elsewhere(root).client.get_transport()
    sftp.connections[0].close()
    ours.join(30)
    assert opened(f"{root}/rocket.jpg").getbuffer().nbytes
    assert len(sftp.connections) == 2
    # Of one whose files alone are closed it shows when it is used: a fault of the network.
    for channel in list(sftp.connections[1]._channels.values()):
        channel.close()
    with pytest.raises(OSError, match="cannot be fetched") as fault:
        opened(f"{root}/rocket.jpg")
    assert fault.value.errno is not None
    assert opened(f"{root}/rocket.jpg").getbuffer().nbytes
    assert len(sftp.connections) == 3
    assert is_there(f"{root}/rocket.jpg")
    assert not is_there(f"{root}/gone.jpg")
    assert is_there(f"sftp://127.0.0.1:{nobody()}/gone.jpg")


def test_a_server_whose_key_is_not_known_is_not_spoken_to(sftp: SftpServer, home: Path) -> None:
    recorded = home / ".ssh" / "known_hosts"
    known = recorded.read_text()
    recorded.write_text("")
    root = address_of(sftp)
    assert "its key is not known" in told(root)[1][""]
    assert recorded.read_text() == ""
    with sftp_server(home, home / "other") as other:
        # One that has taken its place.
        recorded.write_text(known.replace(sftp.key.get_base64(), other.key.get_base64()))
        assert "has another key" in told(root)[1][""]
    recorded.write_text(known)
    (home / ".ssh" / "id_ecdsa").unlink()
    assert "lets nobody in" in told(root)[1][""]


class _Web(SimpleHTTPRequestHandler):
    """Some paths are answered as here, all others from the folder."""

    odd: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]]
    asked: ClassVar[list[tuple[str, str]]]
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self._answer(super().do_GET, whole=True)

    def do_HEAD(self) -> None:
        self._answer(super().do_HEAD, whole=False)

    def _answer(self, usual: Any, *, whole: bool) -> None:
        self.asked.append((self.command, self.path))
        found = self.odd.get(self.path)
        if found is None and self.path.startswith("/deep/"):
            found = 200, {"Content-Type": "text/html"}, b'<a href="again/">again/</a>'
        if found is None:
            usual()
            return
        status, headers, content = found
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if whole:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web(folder: Path) -> Iterator[tuple[str, type[_Web]]]:
    handler = type("Web", (_Web,), {"odd": {}, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler
        finally:
            server.shutdown()
            thread.join()


def page(*links: str) -> tuple[int, dict[str, str], bytes]:
    listing = "".join(f'<li><a href="{link}">{link}</a>' for link in links)
    return 200, {"Content-Type": "text/html; charset=utf-8"}, listing.encode()


def test_a_file_on_the_web_is_read_to_its_end(shared: Path, pictures: Path) -> None:
    content = os.urandom(200_000)
    with web(shared) as (server, handler):
        handler.odd = {
            "/unsized.jpg": (200, {"Content-Type": "image/jpeg"}, content),
            "/whole.jpg": (
                200, {"Accept-Ranges": "none", "Content-Length": "200000"}, content,
            ),
            "/cut.jpg": (200, {"Content-Length": "300000"}, content),
        }  # fmt: skip
        assert opened(f"{server}/unsized.jpg").getvalue() == content
        assert opened(f"{server}/whole.jpg").getvalue() == content
        handler.odd["/faulty.jpg"] = 500, {}, b""
        there = [is_there(f"{server}/{name}.jpg") for name in ("whole", "faulty", "gone")]
        assert there == [True, True, False]
        with pytest.raises(OSError, match="cannot be fetched") as cut:
            opened(f"{server}/cut.jpg")
        assert cut.value.errno is not None


def test_a_file_on_the_web_that_changed_is_noticed_by_its_time(shared: Path) -> None:
    with web(shared) as (server, _):
        before = set(everything(f"{server}/photos"))
        assert len(before) == 2
        photo = shared / "photos" / "rocket.jpg"
        size = photo.stat().st_size
        photo.write_bytes(b"x" * size)
        os.utime(photo, (1_600_000_000, 1_600_000_000))
        changed = set(everything(f"{server}/photos")) - before
        assert changed == {Listed(f"{server}/photos/rocket.jpg", size, 1_600_000_000_000_000_000)}


@pytest.mark.slow
def test_a_large_file_has_the_time_that_its_size_takes(shared: Path) -> None:
    half = (0.5, 0.5, 0.5)
    preprocess = Preprocess(ImageSettings(32, "squash", "none", "bicubic", half, half))
    limits = Limits(memory=1 << 30)
    with web(shared) as (server, _), DecodeWorkers(preprocess, 1, limits) as pool:
        address = f"{server}/photos/rocket.jpg"
        times = []
        for sizes in ({}, {address: 500_000_000}):
            results = pool.decode([address], task="digest", sizes=sizes)
            assert [type(each.outcome) for each in results if each is not None] == [bytes]
            times.append(pool._workers[0].seconds)
    assert times[1] - times[0] == 500


def test_a_listing_leads_nowhere_else(shared: Path) -> None:
    (shared / "private").mkdir()
    shutil.copy(shared / "photos" / "rocket.jpg", shared / "private" / "x.jpg")
    with web(shared) as (server, handler), web(shared) as (other, others):
        handler.odd = {
            "/photos/": page(
                "../private/x.jpg", "%2e%2e/private/x.jpg", "..%2fprivate%2fx.jpg",
                "/private/x.jpg", "/ph%6ftos/rocket.jpg",
                "2024/../../private/x.jpg", f"{other}/photos/rocket.jpg", "rocket.jpg?size=small",
                "?C=M;O=A", "#top", "../", "./", "./coffee.png", "/photos/rocket.jpg", "notes.txt",
                "gone.jpg", "away.jpg", "http://[broken", "away/", "file:///etc/x.jpg",
            ),
            "/photos/away.jpg": (302, {"Location": f"{other}/photos/rocket.jpg"}, b""),
            "/photos/away/": (302, {"Location": f"{other}/photos/"}, b""),
        }  # fmt: skip
        root = f"{server}/photos"
        found, unreadable = told(root)
        assert sorted(found) == ["/coffee.png", "/rocket.jpg"]
        assert unreadable.keys() == {"/gone.jpg", "/away.jpg", "/away"}
        assert "another server" in unreadable["/away"]
        with pytest.raises(OSError, match="another server"):
            opened(f"{root}/away.jpg")
        assert others.asked == []
        assert not [path for _, path in handler.asked if "private" in path or "notes" in path]
        # To another place of its own it may send us, as it does with a folder without a stroke.
        handler.odd = {"/photos/away.jpg": (302, {"Location": "/photos/rocket.jpg"}, b"")}
        assert opened(f"{root}/away.jpg").getbuffer().nbytes


def test_a_listing_without_end_comes_to_one(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with web(shared) as (server, handler):
        (end,) = everything(f"{server}/deep")
        assert isinstance(end, Unlisted)
        assert end.path.count("/again") == DEEPEST + 1
        assert len(handler.asked) == DEEPEST + 1
        monkeypatch.setattr("photosearch.elsewhere.listing.MOST", 1)
        assert [type(item) for item in everything(f"{server}/photos")] == [Unlisted]
        assert told(f"{server}/photos/rocket.jpg") == ([""], {})
