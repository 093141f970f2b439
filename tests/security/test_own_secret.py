"""Other users of the machine can neither open the page nor find the secret that opens it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_browser import ready
from optional import needs_chromium, needs_linux
from served import Served, served_here

from photosearch.commands.opening import secret_in
from photosearch.errors import UsageError
from photosearch.serving.own_secret import PAGE, own_secret, page_with

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def library(picture_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(picture_library, tmp_path_factory.mktemp("locked") / "library"))


@pytest.fixture(scope="module")
def server(library: Path, tiny_bundle: Path) -> Iterator[Served]:
    with served_here(library, tiny_bundle, locked=True) as server:
        yield server


def token(server: Served) -> str:
    return server.link.partition("?token=")[2]


def session(server: Served) -> dict[str, str]:
    begun = server.ask(f"/?token={token(server)}")
    return {"Cookie": begun.headers["set-cookie"].partition(";")[0]}


@pytest.mark.slow
def test_the_link_opens_the_page_and_nothing_else_does(server: Served) -> None:
    for target in ("/api/state", "/api/newest", "/ui/app.js", "/api/thumbnail/1"):
        assert server.ask(target).status == 401
    assert server.post("/api/index", {"folders": ["/"]}).status == 401
    assert server.ask("/").headers["location"] == "/login"
    for wrong in ("", "guessed", token(server)[:-1], "%00", "%ff"):
        assert server.ask(f"/?token={wrong}").headers["location"] == "/login"
        assert server.ask("/login", FORM, body=f"password={wrong}".encode()).status == 429
    assert "Open that link" in server.ask("/login").body.decode()

    begun = server.ask(f"/?q=a+cat&token={token(server)}")
    assert (begun.status, begun.headers["location"]) == (303, "/?q=a+cat")
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert token(server) not in cookie
    known = session(server)
    assert server.ask("/api/state", known).status == 200
    assert server.ask("/", known).status == 200
    # It does not stay in the address, nor does a wrong one end anything.
    for given in (token(server), "wrong"):
        assert server.ask(f"/?token={given}", known).headers["location"] == "/"
    assert server.ask("/?q=a&mytoken=1&x=token=", known).status == 200
    entered = server.ask("/login", FORM, body=f"password={token(server)}".encode())
    assert entered.headers["location"] == "/"


@pytest.mark.slow
def test_an_open_page_goes_on_with_the_next_server(
    server: Served, library: Path, tiny_bundle: Path, picture_library: Path, tmp_path: Path
) -> None:
    known = session(server)
    with served_here(library, tiny_bundle, locked=True) as again:
        assert again.ask("/api/state", known).status == 200
    other = Path(shutil.copytree(picture_library, tmp_path / "other"))
    with served_here(other, tiny_bundle, locked=True) as another:
        assert another.ask("/api/state", known).status == 401
        # A browser keeps both, though they are cookies of one host.
        names = {one["Cookie"].partition("=")[0] for one in (known, session(another))}
        assert len(names) == 2


@needs_chromium
@pytest.mark.slow
def test_a_browser_that_is_started_with_the_file(
    server: Served, library: Path, browser: Any
) -> None:
    address = page_with(server.link, library)
    assert address is not None
    assert token(server) not in address
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(address)
        ready(page)
        assert page.url == server.url
    finally:
        context.close()


@needs_linux("has users and modes of files")
def test_only_its_owner_can_read_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = own_secret(tmp_path, PAGE)
    assert own_secret(tmp_path, PAGE) == first
    for path in (tmp_path / PAGE, Path((page_with("x", tmp_path) or "")[len("file://") :])):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # What others could read is no secret any more.
    (tmp_path / PAGE).chmod(0o644)
    second = own_secret(tmp_path, PAGE)
    assert second != first
    assert own_secret(tmp_path, PAGE) == second
    (tmp_path / PAGE).write_text("short\n", encoding="ascii")
    assert len(own_secret(tmp_path, PAGE)) > 32
    assert sorted(os.listdir(tmp_path)) == ["page.html", PAGE]
    # A disk that is full, or read-only.
    nowhere = tmp_path / "nowhere"
    assert own_secret(nowhere, PAGE) != own_secret(nowhere, PAGE)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    address = page_with("x", nowhere)
    assert address is not None
    folder = Path(address[len("file://") :]).parent
    assert (folder.parent, stat.S_IMODE(folder.stat().st_mode)) == (tmp_path, 0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(nowhere))
    assert page_with("x", nowhere) is None


def test_a_password_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" two words \nand more\n", encoding="utf-8")
    assert secret_in(str(file), "--password-file") == " two words "
    assert secret_in(None, "--password-file") is None
    file.write_text("\nnot this\n", encoding="utf-8")
    with pytest.raises(UsageError, match="its first line is empty"):
        secret_in(str(file), "--password-file")
    with pytest.raises(UsageError, match="cannot be read"):
        secret_in(str(tmp_path / "nothing"), "--password-file")


def test_a_password_that_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "typed").write_text("typed\n", encoding="utf-8")
    with open(tmp_path / "typed", encoding="utf-8") as typed:
        monkeypatch.setattr("sys.stdin", typed)
        assert secret_in("-", "--token-file") == "typed"
