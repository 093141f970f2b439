"""Photos in stores of Google and Azure and on shares of files, each on a server that runs here."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from optional import AZURITE, module, needs_azurite
from PIL import Image
from store_servers import Place, azure, connection, free_port, google, share

from photosearch import Library, UsageError
from photosearch.elsewhere import servers
from photosearch.elsewhere.addresses import checked
from photosearch.elsewhere.files import is_there, opened
from photosearch.indexing.events import Failed, Finished, Indexed
from photosearch.indexing.scan import Found, Unreadable, scan

# Characters that addresses give a meaning to.
ODD = "2024/100% #1 ä.jpg"


@pytest.fixture(autouse=True)
def _nothing_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test goes on with what another opened, or was refused."""
    monkeypatch.setattr(servers, "_opened", {})
    monkeypatch.setattr(servers, "_silent", {})


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    kind = request.param
    if kind == "gs":
        module("gcsfs")
        module("gcp_storage_emulator.server")
        opening: Any = google()
    elif kind == "az":
        module("adlfs")
        assert AZURITE is not None
        opening = azure(AZURITE, tmp_path)
    else:
        module("smbclient")
        module("impacket.smbserver")
        opening = share(tmp_path)
    with opening as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.env.items():
            patch.setenv(name, value)
        yield found


every_kind = pytest.mark.parametrize(
    "place", ["gs", pytest.param("az", marks=needs_azurite), "smb"], indirect=True
)


def jpeg(colour: str, width: int = 90) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, 60), colour).save(out, "JPEG")
    return out.getvalue()


def run(library: Library, *folders: str) -> tuple[Finished, dict[str, str]]:
    """How a run ended, and what it could not read, and why."""
    events = list(library.index(folders, workers=1))
    finished = next(each for each in events if isinstance(each, Finished))
    return finished, {each.path: each.reason for each in events if isinstance(each, Failed)}


@pytest.mark.slow
@every_kind
def test_what_changes_there_is_noticed(place: Place, tmp_path: Path, tiny_bundle: Path) -> None:
    root = place.address
    for name, colour in (("a.jpg", "red"), ("b.jpg", "green"), (ODD, "blue")):
        place.put(name, jpeg(colour))
    place.put("notes.txt", b"none")
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        finished, failed = run(library, root)
        assert (finished.indexed, failed) == (3, {})
        assert library.photos.file_at(f"{root}/{ODD}") is not None
        assert run(library)[0].unchanged == 3
        # Of the same size, so that only its time or its ETag tells.
        red, other = jpeg("red"), jpeg("#fd0000")
        assert len(red) == len(other)
        place.put("a.jpg", other)
        if root.startswith("smb"):
            os.utime(tmp_path / "volume" / "photos" / "a.jpg", (1_600_000_000, 1_600_000_000))
        place.delete("b.jpg")
        finished, failed = run(library)
        assert (finished.indexed, finished.missing, failed) == (1, 1, {})
        assert opened(f"{root}/a.jpg").getvalue() == other
        assert not is_there(f"{root}/b.jpg")
    # One file may be named as well.
    (single,) = scan(f"{root}/a.jpg")
    assert isinstance(single, Found)
    assert single.stamp.size == len(other)
    (away,) = scan(root.replace("photos", "nothing"))
    assert isinstance(away, Unreadable)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["smb"], indirect=True)
def test_a_server_that_goes_while_it_is_read_takes_nothing(
    place: Place, tmp_path: Path, tiny_bundle: Path
) -> None:
    for number in range(80):
        place.put(f"{number:02}.jpg", jpeg("red", 60 + number))
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        failed = {}
        for event in library.index([place.address], workers=1):
            if isinstance(event, Indexed):
                place.door.shut()
            if isinstance(event, Failed):
                failed[event.path] = event.reason
        held = library.status().photos
        assert failed
        assert held + len(failed) == 80
        told = set(failed.values())
        assert all("index" in each and "again" in each for each in told), told
        # Not each waits for a server that is silent.
        assert any("nobody answers" in each for each in told)
        # It is away when it is listed: what is known stays.
        finished, failed = run(library)
        assert list(failed) == [place.address]
        assert "check that it can be reached" in failed[place.address]
        assert (finished.missing, library.status().photos) == (0, held)
        place.door.open()
        finished, failed = run(library)
        assert (finished.indexed, failed) == (80 - held, {})


@pytest.mark.parametrize("place", ["smb"], indirect=True)
def test_a_share_that_lets_nobody_in(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text(":ada:another-word\n")
    for users in (os.fspath(wrong), ""):
        monkeypatch.setenv("NTLM_USER_FILE", users)
        (item,) = scan(place.address)
        assert isinstance(item, Unreadable)
        assert item.path == place.address
        assert "may not be read" in item.reason
        assert "NTLM_USER_FILE" in item.reason
        assert "another-word" not in item.reason


@needs_azurite
@pytest.mark.parametrize("place", ["az"], indirect=True)
def test_an_account_with_another_key(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "c2VjcmV0" * 11
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection(place.door.port, key))
    (item,) = scan(place.address)
    assert isinstance(item, Unreadable)
    assert "may not be read" in item.reason
    assert "AZURE_STORAGE_CONNECTION_STRING" in item.reason
    assert key not in item.reason


def test_an_account_that_nothing_names(monkeypatch: pytest.MonkeyPatch) -> None:
    module("adlfs")
    for name in ("CONNECTION_STRING", "ACCOUNT_NAME"):
        monkeypatch.delenv(f"AZURE_STORAGE_{name}", raising=False)
    (item,) = scan("az://archive/photos")
    assert isinstance(item, Unreadable)
    assert "AZURE_STORAGE_ACCOUNT_NAME" in item.reason


class _Forbidding(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = b'{"error": {"code": 403, "message": "Anonymous caller may not"}}'
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def test_a_bucket_of_google_that_may_not_be_read(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    module("gcsfs")
    with HTTPServer(("127.0.0.1", 0), _Forbidding) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        try:
            (item,) = scan("gs://archive/photos")
        finally:
            server.shutdown()
            thread.join()
    assert isinstance(item, Unreadable)
    assert "may not be read" in item.reason
    assert "GOOGLE_APPLICATION_CREDENTIALS" in item.reason
    assert capfd.readouterr().err == ""


def test_a_place_that_is_silent_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    module("aiohttp")
    silent = f"http://127.0.0.1:{free_port()}"
    told = []
    for number in range(5):
        with pytest.raises(OSError, match="again") as fault:
            opened(f"{silent}/{number}.jpg")
        told.append(fault.value.strerror)
    assert all("check that it can be reached" in str(each) for each in told[:3])
    assert all(each == servers.STILL_SILENT for each in told[3:])
    # Others are asked, and after a while this one.
    with pytest.raises(OSError, match="check that it can be reached"):
        opened(f"http://127.0.0.1:{free_port()}/a.jpg")
    monkeypatch.setattr(servers, "_silent", dict.fromkeys(servers._silent, (3, 0.0)))
    with pytest.raises(OSError, match="check that it can be reached"):
        opened(f"{silent}/a.jpg")


@pytest.mark.parametrize(
    ("address", "package", "extra"),
    [
        ("gs://archive/photos", "gcsfs", "gs"),
        ("az://archive/photos", "adlfs", "az"),
        ("smb://nas/volume", "smbclient", "smb"),
        ("sftp://nas/volume", "paramiko", "sources"),
    ],
)
def test_what_is_not_installed_is_named(
    address: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers._kind.cache_clear()
    for name in ("gcsfs.core", "photosearch.elsewhere.shares", "photosearch.elsewhere.sftp"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"pip install 'photosearch\[{extra}\]'"):
        checked(address)


def test_accounts_in_addresses_and_unknown_kinds() -> None:
    with pytest.raises(UsageError, match="AZURE_STORAGE_ACCOUNT_NAME"):
        checked("abfs://archive@ours.dfs.core.windows.net/photos")
    with pytest.raises(UsageError, match="no kind of address"):
        checked("gopher://archive/photos")
