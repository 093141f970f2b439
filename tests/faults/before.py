"""What there is before a job."""

from __future__ import annotations

import functools
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from hub_server import Hub, serving
from old_libraries import unpack
from PIL import Image
from tiny_model import write_tiny
from tiny_published import publish

from faults.box import Box
from photosearch import Library
from photosearch.pulling.offers import find_offer

OFFER = find_offer("ViT-B-32__openai")
# What jobs have opened, to be closed by whoever runs them.
OPENED = ExitStack()
_PHOTOS = "SELECT id, path FROM photos ORDER BY id"


def nothing(box: Box) -> None:
    """Photos only."""


def indexed(box: Box) -> None:
    with Library.open(box.library, model=box.model) as library:
        for _ in library.index([box.photos], workers=1):
            pass


def marked(box: Box) -> None:
    """A library with something of everything that a user can give."""
    indexed(box)
    with Library.open(box.library, model=box.model) as library:
        photos = numbers(library)
        library.marks.rate([photos["b.png"], photos["c.png"]], 4)
        library.marks.tag([photos["a.png"], photos["b.png"]], add=["Rome", "Places|Italy"])
        album = library.albums.create("Best")
        library.albums.add_photos([photos["a.png"], photos["b.png"]], album)
        library.albums.add_photos([photos["c.png"]])
        library.saved.add("reds", "red")


def changed(box: Box) -> None:
    """Some photos have come, some have changed and moved, some are gone."""
    marked(box)
    shutil.copy(box.photos / "a.png", box.photos / "below" / "copy.png")
    (box.photos / "b.png").rename(box.photos / "below" / "moved.png")
    (box.photos / "c.png").unlink()
    (box.photos / "d.png").write_bytes((box.photos / "e.png").read_bytes() + b"\0")
    (box.photos / "damaged.jpg").write_bytes(b"\xff\xd8\xff\0")


def exported(box: Box) -> None:
    """An export of a library, which itself is not there any more."""
    marked(box)
    with Library.open(box.library, model=box.model) as library:
        library.export(box.out / "old.photosearch")
    shutil.rmtree(box.library)


def exported_and_there(box: Box) -> None:
    marked(box)
    with Library.open(box.library, model=box.model) as library:
        library.export(box.out / "old.photosearch", with_models=False)
        library.forget(box.photos / "below")


def installed(box: Box) -> None:
    """A library with a model of its own that answers, and another that is not chosen."""
    with Library.open(box.library) as library:
        library.models.use(box.model)
        for _ in library.index([box.photos], workers=1):
            pass
        for _ in library.models.pull(str(box.other_model)):
            pass


def wanted(box: Box) -> None:
    installed(box)
    with Library.open(box.library) as library:
        library.models.use("colours")


def configured(box: Box) -> None:
    marked(box)
    (box.library / "config.toml").write_text("# Mine.\nworkers = 2\nthreads = 1\n")


def many(box: Box) -> None:
    """As many photos as models are compared on, and a model that sees something in them."""
    dice = np.random.default_rng(3)
    for number in range(100):
        pixels = dice.integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(pixels).save(box.photos / f"one-{number:03}.png")
    with Library.open(box.library) as library:
        library.models.use(_random(box.models))
        for _ in library.index([box.photos], workers=1):
            pass


@functools.cache
def _random(models: Path) -> Path:
    return write_tiny(models / "random")


def with_hub(box: Box) -> None:
    """A library that downloads models from a hub of its own."""
    indexed(box)
    (box.library / "config.toml").write_text(f'endpoint = "{_hub(box.models).url}"\n')


@functools.cache
def _hub(models: Path) -> Hub:
    """One that serves a model as it is published, until `OPENED` is closed."""
    hub = OPENED.enter_context(serving())
    hub.add(OFFER.repository, publish(_random(models), models / "published"))
    return hub


@functools.cache
def web(models: Path) -> str:
    """The address of two photos on a server of their own, until `OPENED` is closed."""
    folder = models / "web"
    folder.mkdir()
    for name, colour in (("red.png", "red"), ("blue.png", "blue")):
        Image.new("RGB", (6, 4), colour).save(folder / name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    OPENED.callback(lambda: (server.shutdown(), serving.join(), server.server_close()))
    return f"http://127.0.0.1:{server.server_port}/"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def damaged(box: Box) -> None:
    """A catalogue of which a part cannot be read, and vectors with a wrong byte."""
    marked(box)
    path = box.library / "catalogue.db"
    with closing(sqlite3.connect(path)) as db:
        (page,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'saved_searches'"
        ).fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)
    _damage_vectors(box)


def strange(box: Box) -> None:
    """A catalogue that can be read, with rows that lead nowhere."""
    marked(box)
    with closing(sqlite3.connect(box.library / "catalogue.db")) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("INSERT INTO looks VALUES (999, X'')")
        db.execute("UPDATE embeddings SET vector = X'00' WHERE rowid = 1")
        db.commit()
    _damage_vectors(box)


def _damage_vectors(box: Box) -> None:
    for path in (box.library / "vectors").glob("*.faiss"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)


def numbers(library: Library) -> dict[str, int]:
    """The ids of photos by their names."""
    with closing(sqlite3.connect(library.folder / "catalogue.db")) as db:
        return {os.path.basename(path): number for number, path in db.execute(_PHOTOS)}


def older(name: str) -> Callable[[Box], None]:
    def left(box: Box) -> None:
        unpack(name, box.library)

    return left
