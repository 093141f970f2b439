"""What writes: each as it is tried with faults, and what there is before."""

from __future__ import annotations

import functools
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from hub_server import Hub, serving
from old_libraries import names, unpack
from tiny_model import write_tiny
from tiny_published import publish

from index import Catalogue
from photosearch import Finished, Library
from photosearch.pulling.offers import find_offer

_OFFER = find_offer("ViT-B-32__openai")
# What jobs have opened, to be closed by whoever runs them.
OPENED = ExitStack()
_PHOTOS = "SELECT id, path FROM photos ORDER BY id"


@dataclass(frozen=True)
class Box:
    """The folder in which all lies that a job may touch, and the models, which lie elsewhere."""

    folder: Path
    models: Path

    @property
    def library(self) -> Path:
        return self.folder / "library"

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def model(self) -> Path:
        return self.models / "tiny"

    @property
    def other_model(self) -> Path:
        return self.models / "colours"


@dataclass(frozen=True)
class Job:
    """`prepare` makes what is there before; `run` is what photosearch is asked for.

    An `atomic` one does all or nothing; of others each photo, or file, is as before or as after,
    or, with `steps`, something between that another run ends: a photo that was moved is not found
    first, and found elsewhere then.
    With `older` the library is one that an earlier version left, and with `unsound` one that the
    doctor finds something in.
    """

    name: str
    prepare: Callable[[Box], None]
    run: Callable[[Box], list[str]]
    atomic: bool = True
    steps: bool = False
    older: bool = False
    unsound: bool = False


def _names(model: Path, *arguments: str | Path) -> list[str]:
    return ["--model", str(model), *map(str, arguments)]


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
        photos = _photos(library)
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


def with_hub(box: Box) -> None:
    """A library that downloads models from a hub of its own."""
    indexed(box)
    (box.library / "config.toml").write_text(f'endpoint = "{_hub(box.models).url}"\n')


@functools.cache
def _hub(models: Path) -> Hub:
    """One that serves a model as it is published, until `OPENED` is closed."""
    hub = OPENED.enter_context(serving())
    hub.add(_OFFER.repository, publish(write_tiny(models / "random"), models / "published"))
    return hub


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


def _photos(library: Library) -> dict[str, int]:
    with closing(sqlite3.connect(library.folder / "catalogue.db")) as db:
        return {os.path.basename(path): number for number, path in db.execute(_PHOTOS)}


def _older(name: str) -> Callable[[Box], None]:
    def left(box: Box) -> None:
        unpack(name, box.library)

    return left


# Functions that a run is asked for by name, where there is no command.


def watch(library: str, photos: str, model: str) -> None:
    """Until what is there is indexed; what changes then is indexed in the same way."""
    with Library.open(library, model=model) as opened:
        for event in opened.watch([photos], workers=1):
            if isinstance(event, Finished):
                return


def upgrade(library: str) -> None:
    Catalogue.open(Path(library)).close()


def make_album(library: str, model: str) -> None:
    """Each of these steps is one, so what is tried is each of them."""
    with Library.open(library, model=model) as opened:
        opened.albums.create("Trip")


def fill_album(library: str, model: str) -> None:
    with Library.open(library, model=model) as opened:
        opened.albums.add_photos(sorted(_photos(opened).values()), 2)


def remove_album(library: str, model: str) -> None:
    with Library.open(library, model=model) as opened:
        opened.albums.remove(2)


def _call(function: Callable[..., None], *arguments: Path) -> list[str]:
    return [f"faults.jobs:{function.__name__}", *map(str, arguments)]


JOBS = (
    Job(
        "index",
        nothing,
        lambda box: _names(box.model, "index", "--workers", "1", box.photos),
        atomic=False,
    ),
    Job(
        "index again",
        changed,
        lambda box: _names(box.model, "index", "--workers", "1"),
        atomic=False,
        steps=True,
        # Photos are gone of which the catalogue does not know yet.
        unsound=True,
    ),
    Job(
        "watch",
        nothing,
        lambda box: _call(watch, box.library, box.photos, box.model),
        atomic=False,
    ),
    # The choice is one step, and each batch of photos that it encodes another.
    Job("models use", installed, lambda box: ["models", "use", "colours"], atomic=False),
    Job(
        "models use FOLDER",
        indexed,
        lambda box: ["models", "use", str(box.other_model)],
        atomic=False,
    ),
    Job("models pull FOLDER", indexed, lambda box: ["models", "pull", str(box.other_model)]),
    Job("models pull NAME", with_hub, lambda box: _names(box.model, "models", "pull", _OFFER.name)),
    Job("models rm", installed, lambda box: ["models", "rm", "colours"]),
    Job("switch of models", wanted, lambda box: ["index", "--workers", "1"], atomic=False),
    Job("import", exported, lambda box: _names(box.model, "import", box.out / "old.photosearch")),
    Job(
        "import --replace",
        exported_and_there,
        lambda box: _names(box.model, "import", "--replace", box.out / "old.photosearch"),
    ),
    Job("export", marked, lambda box: _names(box.model, "export", box.out / "new.photosearch")),
    Job(
        "export --overwrite --with-models",
        exported_and_there,
        lambda box: _names(
            *(box.model, "export", "--overwrite", "--with-models", box.out / "old.photosearch")
        ),
    ),
    Job("forget", marked, lambda box: _names(box.model, "forget", box.photos / "below")),
    Job("forget all", marked, lambda box: _names(box.model, "forget", box.photos)),
    Job("albums: make", marked, lambda box: _call(make_album, box.library, box.model)),
    Job("albums: put in", marked, lambda box: _call(fill_album, box.library, box.model)),
    Job("albums: remove", marked, lambda box: _call(remove_album, box.library, box.model)),
    Job("rate", marked, lambda box: _names(box.model, "rate", "--stars", "2", "1", "2", "3")),
    Job("tag", marked, lambda box: _names(box.model, "tag", "--add", "sea", "1", "2", "3")),
    Job("mark", marked, lambda box: _names(box.model, "mark", "--right", "sea", "1", "2", "3")),
    Job("saved add", marked, lambda box: _names(box.model, "saved", "add", "blues", "blue")),
    Job("config set", marked, lambda box: ["config", "set", "workers", "2"]),
    Job(
        "write-sidecars",
        marked,
        lambda box: _names(box.model, "write-sidecars", "--all"),
        atomic=False,
    ),
    Job(
        "share",
        marked,
        lambda box: _names(box.model, "share", "--to", box.out / "shared", "1", "2"),
        atomic=False,
    ),
    Job(
        "doctor --repair, of rows",
        strange,
        lambda box: _names(box.model, "doctor", "--repair"),
        atomic=False,
        unsound=True,
    ),
    Job(
        "doctor --repair, of the catalogue",
        damaged,
        lambda box: _names(box.model, "doctor", "--repair"),
        unsound=True,
    ),
    *(
        Job(
            f"upgrade from {name}",
            _older(name),
            lambda box: _call(upgrade, box.library),
            older=True,
        )
        for name in names()[:-1]
    ),
)
