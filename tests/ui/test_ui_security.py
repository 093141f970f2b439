"""Who gets what from `photosearch ui`: other sites, other machines, and paths that ask for more."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from served import Served, served, served_here

from photosearch import Library, UsageError
from photosearch.serving.page_guard import SESSION_SECONDS, Sessions
from photosearch.ui.server import Server

pytestmark = pytest.mark.slow

SECRET = b"not for anybody's eyes"
PNG = "chelsea.png"
HERE = "192.0.2.1"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, pictures: Path) -> Path:
    """A folder with photos, their library, and a file that is nobody's business."""
    place = tmp_path_factory.mktemp("served")
    (place / "photos").mkdir()
    for name in (PNG, "coffee.png", "rocket.jpg"):
        shutil.copyfile(pictures / name, place / "photos" / name)
    (place / "photos" / "secret.txt").write_bytes(SECRET)
    with Library.open(place / "library", model=tiny_bundle) as library:
        for _ in library.index([place / "photos"], workers=1):
            pass
    return place


@pytest.fixture(scope="module")
def server(place: Path, tiny_bundle: Path) -> Iterator[Served]:
    with served_here(place / "library", tiny_bundle) as server:
        yield server


@contextmanager
def _open(place: Path, bundle: Path) -> Iterator[Served]:
    with served(place / "library", bundle, "--host", "0.0.0.0", end=signal.SIGTERM) as server:
        yield server


@pytest.fixture(scope="module")
def open_server(place: Path, tiny_bundle: Path) -> Iterator[Served]:
    """One that other machines can connect to."""
    with _open(place, tiny_bundle) as server:
        yield server


@pytest.fixture
def guarded_server(place: Path, tiny_bundle: Path) -> Iterator[Served]:
    """Another, whose door a wrong password closes for all that is asked after it."""
    with _open(place, tiny_bundle) as server:
        yield server


def photo_id(server: Served, name: str) -> int:
    (found,) = (hit["id"] for hit in server.ask("/api/newest").json["hits"] if hit["name"] == name)
    return int(found)


def test_it_serves_a_page_that_loads_nothing_from_elsewhere(server: Served) -> None:
    answer = server.ask("/")

    assert answer.status == 200
    assert b"/app.js" in answer.body
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    for elsewhere in (b"googleapis", b"gstatic", b"cdnjs", b"huggingface", b"githubusercontent"):
        assert elsewhere not in answer.body


def test_a_browser_reads_the_files_of_the_page_once(server: Served) -> None:
    for target in ("/ui/app.js", "/ui/style.css", "/ui/texts/de.json", "/ui/map/world.bin"):
        first = server.ask(target)
        again = server.ask(target, {"If-None-Match": first.headers["etag"]})
        assert (first.status, again.status, again.body) == (200, 304, b"")
        assert first.headers["cache-control"] == again.headers["cache-control"] == "no-cache"
        assert server.ask(target, {"If-None-Match": '"another"'}).body == first.body
    # Those that the page names it need not even ask for again, until there is another version.
    for file in re.findall(rb"/ui/v/[\w]+/[\w.-]+", server.ask("/").body):
        named = server.ask(file.decode())
        assert named.headers["cache-control"].endswith("immutable")
        other = server.ask(re.sub(r"/v/\w+", "/v/0", file.decode()))
        assert (other.body, other.headers["cache-control"]) == (named.body, "no-cache")
    # Those of Gradio, which have another name when they change, it need not even ask for again.
    file = re.search(rb"assets/[\w.-]+\.js", server.ask("/").body)
    assert file is not None
    for target, kept in ((f"/{file[0].decode()}", True), ("/assets/none.js", False)):
        assert server.ask(target).headers.get("cache-control", "").endswith("immutable") == kept


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "10.0.0.1", "", "[::"]
)
def test_another_name_is_refused(server: Served, host: str) -> None:
    # A page elsewhere whose name was made to point here would call the server so.
    for target in ("/", "/api/state", "/api/thumbnail/1"):
        assert server.ask(target, {"Host": host}).status == 421


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:80", "[::1]:7860"])
def test_names_of_this_machine_are_served(server: Served, host: str) -> None:
    assert server.ask("/api/state", {"Host": host}).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_other_sites_can_neither_read_nor_do(server: Served, origin: str) -> None:
    for target in ("/api/state", "/api/search?q=a", "/api/thumbnail/1", "/"):
        assert server.ask(target, {"Origin": origin}).status == 403
    assert server.post("/api/stop", {}, {"Origin": origin}).status == 403
    own = f"http://127.0.0.1:{server.port}"
    assert server.post("/api/stop", {}, {"Origin": own}).status == 200


def test_other_sites_can_only_link_to_the_first_page(server: Served) -> None:
    picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    number = photo_id(server, PNG)
    assert server.ask(f"/api/thumbnail/{number}", picture).status == 403
    assert server.ask(f"/api/original/{number}", link).status == 403
    assert server.ask("/", picture).status == 403
    assert server.ask("/", link).status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/gradio_api/file={path}",
        "/gradio_api/file/{path}",
        "/file={path}",
        "/gradio_api/file=%2e%2e%2f{path}",
        "/GRADIO_API/file={path}",
        "/gradio_api//file={path}",
        "/static/../{path}",
        "/static/%2e%2e/{path}",
        "/static/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f{path}",
        "/assets/..%5c..%5c{path}",
        "/assets/{path}",
        "/assets/%2f{path}",
        "/ui/..%2f{path}",
        "/ui/{path}",
        "/ui/%2f{path}",
        "/api/thumbnail/..%2f{path}",
        "/api/original/{path}",
        "/api/folders?path={path}",
        "/gradio_api/proxy=http://127.0.0.1:{port}/api/state",
        "/svelte/{path}",
        "/theme.css/..%2f{path}",
        "/gradio_api/upload_progress?upload_id=1",
        "/gradio_api/vibe-code",
        "/gradio_api/info",
        "/monitoring",
        "/config",
        "/manifest.json",
        "/gradio_api/heartbeat/1",
        "/gradio_api/startup-events",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_path_of_a_request_is_opened(server: Served, place: Path, target: str) -> None:
    link = place / "photos" / "link.txt"
    if not link.is_symlink():
        link.symlink_to(place / "photos" / "secret.txt")
    for path in (place / "photos" / "secret.txt", place / "photos" / PNG, link):
        written = target.replace("{path}", str(path)).replace("{port}", str(server.port))
        answer = server.ask(written)
        assert answer.status >= 400, answer.body[:200]
        assert SECRET not in answer.body


@pytest.mark.parametrize(
    "target",
    [
        "/gradio_api/upload",
        "/gradio_api/queue/join",
        "/gradio_api/component_server",
        "/gradio_api/run/predict",
        "/gradio_api/vibe-edit",
        "/gradio_api/stream/1",
    ],
)
def test_nothing_of_gradio_takes_anything(server: Served, target: str) -> None:
    assert server.post(target, {"data": []}).status == 404


def test_a_photo_that_became_a_link_to_something_else_is_not_given(
    server: Served, place: Path
) -> None:
    number = photo_id(server, "coffee.png")
    photo = place / "photos" / "coffee.png"
    answer = server.ask(f"/api/original/{number}")
    assert answer.body == photo.read_bytes()
    assert answer.headers["content-disposition"].startswith("attachment")

    away = photo.with_suffix(".away")
    photo.rename(away)
    photo.symlink_to(place / "photos" / "secret.txt")
    try:
        for route in ("original", "thumbnail", "screen", "why"):
            answer = server.ask(f"/api/{route}/{number}")
            assert answer.status in (400, 404, 409)
            assert SECRET not in answer.body
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = server.ask("/api/zip", form, body=f"ids={number}".encode())
        assert b"left out.txt" in answer.body
        assert SECRET not in answer.body
    finally:
        photo.unlink()
        away.rename(photo)


def test_why_opens_no_file_that_is_named(server: Served, place: Path) -> None:
    number = photo_id(server, PNG)
    assert server.ask(f"/api/why/{number}?q=cat").json["terms"][0]["term"] == "cat"
    for path in (place / "photos" / "secret.txt", Path("/etc/passwd")):
        answer = server.ask(f"/api/why/{number}?q=photo:{path}")
        assert answer.status == 400
        assert "not in the library" in answer.json["error"]
    assert server.ask("/api/why/999?q=cat").status == 404
    assert server.ask(f"/api/why/{number}?q=type:png").status == 400


def test_a_body_that_is_too_large_is_refused(server: Served) -> None:
    sent = {"Content-Type": "application/json", "Content-Length": str(2 << 20)}
    assert server.ask("/api/index", sent, body=b"{}").status == 413
    assert server.ask("/api/index", {"Content-Length": "x"}, method="POST").status == 400


def test_a_query_picture_is_limited_and_decoded_elsewhere(server: Served) -> None:
    sent = {"Content-Type": "image/png", "Content-Length": str(65 << 20)}
    assert server.ask("/api/by-picture", sent, body=b"x").status == 413
    # Few bytes that say they are four thousand million pixels.
    head = struct.pack(">IIBBBBB", 65000, 65000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    refused = server.ask("/api/by-picture?name=../../secret.png", body=bomb)
    assert refused.status == 400
    assert "choose another" in refused.json["error"]
    assert server.ask("/api/picture/nothing").status == 400
    assert server.ask("/api/search?picture=nothing").status == 400
    assert server.ask("/api/state").status == 200


def test_a_body_without_a_length_ends_too(server: Served) -> None:
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    sent = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    try:
        # More than is taken, in pieces, and never an end.
        status = server.ask("/api/index", sent | {"Content-Length": "0"}, body=chunk * 3).status
    except OSError:
        return
    assert status >= 400


def test_a_link_survives_the_login(open_server: Served) -> None:
    token = open_server.link.partition("?token=")[2]
    wanted = "?q=two+dogs%26%22%3E&photo=12"
    assert open_server.ask(f"/{wanted}").headers["location"] == f"/login{wanted}"
    page = open_server.ask(f"/login{wanted}").body.decode()
    assert 'action="/login?q=two+dogs%26%22%3E&amp;photo=12"' in page

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    right = f"password={token}".encode()
    entered = open_server.ask(f"/login{wanted}", form, body=right)
    assert (entered.status, entered.headers["location"]) == (303, f"/{wanted}")
    # A link with the password in it leads there as well, and is rid of that.
    begun = open_server.ask(f"/{wanted}&token={token}")
    assert begun.headers["location"] == f"/{wanted}"
    # Nobody is led elsewhere, nor given headers.
    for trick in ("?//evil.example", "?q=%0d%0aSet-Cookie:%20a=b", "?next=https://evil.example"):
        led = open_server.ask(f"/login{trick}", form, body=right).headers
        assert led["location"].startswith("/?")
        assert "a=b" not in led["set-cookie"]


def test_the_app_can_be_installed_without_a_session(open_server: Served) -> None:
    told = open_server.ask("/manifest.webmanifest", {"Accept-Language": "de-AT,en;q=0.5"})
    assert told.status == 200
    assert told.headers["content-type"] == "application/manifest+json"
    assert told.json["lang"] == "de"
    for icon in told.json["icons"]:
        answer = open_server.ask(f"/{icon['src']}")
        assert answer.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(answer.body)) as image:
            assert f"{image.width}x{image.height}" == icon["sizes"]
    assert open_server.ask("/icons/photosearch.icns").status == 404


def test_other_machines_need_the_password(guarded_server: Served) -> None:
    port = guarded_server.port
    assert guarded_server.ask("/api/state").status == 401
    assert guarded_server.ask("/ui/app.js").status == 401
    assert guarded_server.ask("/").headers["location"] == "/login"
    assert guarded_server.ask("/api/state", {"Cookie": "photosearch=guessed"}).status == 401

    token = guarded_server.link.partition("?token=")[2]
    begun = guarded_server.ask(f"/?token={token}")
    assert (begun.status, begun.headers["location"]) == (303, "/")
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    session = {"Cookie": cookie.partition(";")[0]}
    assert guarded_server.ask("/api/state", session).status == 200
    # An address cannot be rebound, a name can.
    assert guarded_server.ask("/api/state", session | {"Host": f"10.0.0.7:{port}"}).status == 200
    assert guarded_server.ask("/api/state", session | {"Host": "evil.example"}).status == 421

    # What happens on the machine itself is not for others to start.
    for target, body in (
        ("share", {"ids": [1], "folder": "/tmp"}),
        ("share/estimate", {"ids": [1], "folder": "/tmp"}),
        ("reveal/1", {}),
    ):
        refused = guarded_server.post(f"/api/{target}", body, session)
        assert refused.status == 400
        assert "on the machine itself" in refused.json["error"]

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    wrong = guarded_server.ask("/login", form, body=b"password=wrong")
    assert wrong.status == 429
    # So soon after a wrong one not even the right one is taken.
    right = f"password={token}".encode()
    assert guarded_server.ask("/login", form, body=right).status == 429


def test_each_wrong_password_makes_the_next_try_wait_longer() -> None:
    now = 0.0
    sessions = Sessions("right", clock=lambda: now)
    waits = []
    for _ in range(12):
        assert sessions.begin("wrong", HERE) is None
        waits.append(sessions.wait(HERE))
        assert sessions.begin("right", HERE) is None
        now += sessions.wait(HERE)
    assert waits[:3] == [1.0, 2.0, 4.0]
    assert waits[-1] == 300.0
    assert sessions.begin("right", HERE) is not None
    assert sessions.wait(HERE) == 0.0


def test_a_session_ends_when_it_is_idle() -> None:
    now = 0.0
    sessions = Sessions("right", clock=lambda: now)
    name = sessions.begin("right", HERE)
    now += SESSION_SECONDS - 1
    assert sessions.known(name)
    now += SESSION_SECONDS - 1
    assert sessions.known(name)
    now += SESSION_SECONDS
    assert not sessions.known(name)
    assert not sessions.known(None)


def test_a_port_that_is_taken_is_named(server: Served, place: Path, tiny_bundle: Path) -> None:
    with pytest.raises(UsageError, match=f"--port {server.port}"):
        Server.bind(os.fspath(place / "library"), os.fspath(tiny_bundle), port=server.port)


def test_wrong_passwords_of_one_keep_out_nobody_else() -> None:
    sessions = Sessions("right", clock=lambda: 0.0)
    them, us = sessions.caller("192.0.2.1", None), sessions.caller("192.0.2.2", None)
    for _ in range(3):
        assert sessions.begin("wrong", them) is None
    assert sessions.wait(them)
    assert sessions.begin("right", us) is not None
    # Nor a device behind their address that knew it before.
    ours = sessions.caller("192.0.2.1", sessions.new_device())
    assert sessions.begin("right", ours) is not None
    assert sessions.caller("192.0.2.1", "made up") == them
    # A network of IPv6 is one caller, and an address of IPv4 is itself however it is written.
    assert sessions.caller("2001:db8::1", None) == sessions.caller("2001:db8::ffff", None)
    assert sessions.caller("2001:db8::1", None) != sessions.caller("2001:db8:1::1", None)
    assert sessions.caller("::ffff:192.0.2.1", None) == them
    assert sessions.caller("::ffff:192.0.2.3", None) != them
