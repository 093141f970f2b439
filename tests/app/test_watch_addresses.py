"""`photosearch watch` at an address: a real process, and a web server that comes and goes."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from optional import module
from PIL import Image
from shell import Shell
from store_servers import Door
from test_watch import Watch, names

from photosearch.watching.addresses import Addresses, listing

module("aiohttp")
pytestmark = pytest.mark.slow


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shared(pictures: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    (folder / "photos").mkdir(parents=True)
    for name in ("coffee.png", "rocket.jpg"):
        shutil.copy(pictures / name, folder / "photos")
    return folder


@pytest.fixture
def door(shared: Path) -> Iterator[Door]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(shared))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        opened = Door(server.server_port)
        yield opened
        opened.close()
        server.shutdown()
        thread.join()


def address_of(door: Door) -> str:
    return f"http://127.0.0.1:{door.port}/photos"


def test_an_address_is_looked_at_again_and_again(
    shell: Shell, shared: Path, photos: Path, door: Door
) -> None:
    root = address_of(door)
    for path in [*photos.iterdir()][1:]:
        path.unlink()
    options = ["--address-interval", "0.5", root, photos]
    with ExitStack() as stack:
        watch = Watch(shell, *options)
        stack.callback(watch.process.communicate)
        stack.callback(watch.process.kill)
        watch.until(f"Looking through {root} every 0.5 s (servers tell of no changes)")
        watch.until("The library holds 3 photos.")
        Image.new("RGB", (90, 60), "red").save(shared / "photos" / "red.png")
        watch.until("Done: 1 indexed. The library holds 4 photos.")
        Image.new("RGB", (80, 60), "blue").save(shared / "photos" / "red.png")
        watch.until("Done: 1 indexed. The library holds 4 photos.")
        (shared / "photos" / "coffee.png").unlink()
        watch.until("Done: 1 gone. The library holds 3 photos.")

        # While it is away nothing of it is gone, and folders are watched as ever.
        door.shut()
        watch.until(f"Skipped {root}: cannot be fetched")
        Image.new("RGB", (70, 60), "green").save(photos / "green.png")
        watch.until("1 indexed. The library holds 4 photos.")
        assert {"red.png", "rocket.jpg", "green.png"} <= names(shell)
        Image.new("RGB", (60, 60), "white").save(shared / "photos" / "white.png")
        told = len([line for line in watch.printed if line.startswith("Skipped")])
        door.open()
        watch.until("1 indexed. The library holds 5 photos.")
        assert told == 1
        assert len([line for line in watch.printed if line.startswith("Skipped")]) == 1
        assert watch.end(signal.SIGTERM) == (0, "")


def _looked(addresses: Addresses, now: float) -> list[str]:
    """What is to be indexed when a look that begins now is done."""
    assert list(addresses.to_index(now)) == []
    for one in addresses._watched.values():
        if one.look is not None:
            assert one.look.done.wait(60)
    return list(addresses.to_index(now))


def test_pauses_grow_while_an_address_is_away(door: Door, shared: Path) -> None:
    root = address_of(door)
    addresses = Addresses(10.0)
    assert addresses.keep([root], 0.0) == [root]
    assert addresses.keep([root], 0.0) == []
    assert _looked(addresses, 0.0) == [root]
    addresses.indexed(root, 0.0, whole=True)
    # Not before its time, and then only for news.
    assert _looked(addresses, 9.0) == []
    assert addresses._watched[root].look is None
    assert _looked(addresses, 10.0) == []
    door.shut()
    assert _looked(addresses, 20.0) == [root]
    now, pauses = 20.0, []
    while not pauses or pauses[-1] < 3600.0:
        pauses.append(addresses._watched[root].next - now)
        now += pauses[-1]
        assert _looked(addresses, now - 1) == []
        assert _looked(addresses, now) == []
    assert pauses == [20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 3600.0]
    door.open()
    # It is back, and indexed, for hours have gone by.
    assert _looked(addresses, now + 3600.0) == [root]
    addresses.indexed(root, now + 3600.0, whole=True)
    assert _looked(addresses, now + 3610.0) == []


def test_what_could_not_be_fetched_is_tried_again(door: Door, shared: Path) -> None:
    root = address_of(door)
    addresses = Addresses(10.0)
    addresses.keep([root], 0.0)
    assert _looked(addresses, 0.0) == [root]
    addresses.indexed(root, 0.0, whole=False)
    assert _looked(addresses, 19.0) == []
    assert _looked(addresses, 20.0) == [root]
    addresses.indexed(root, 20.0, whole=True)
    assert _looked(addresses, 30.0) == []
    # Once an hour in any case.
    assert _looked(addresses, 3620.0) == [root]
    addresses.keep([], 3620.0)
    assert _looked(addresses, 9999.0) == []


def test_a_listing_tells_of_each_change(door: Door, shared: Path) -> None:
    root = address_of(door)
    before = listing(root)
    assert before == listing(root)
    rocket = shared / "photos" / "rocket.jpg"
    os.utime(rocket, (1_600_000_000, 1_600_000_000))
    changed = listing(root)
    rocket.unlink()
    assert len({before, changed, listing(root)}) == 3
    door.shut()
    assert listing(root) is None
