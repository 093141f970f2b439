"""What writes: each as it is tried with faults."""

from __future__ import annotations

from pathlib import Path

from old_libraries import names

from faults.before import (
    OFFER,
    changed,
    configured,
    damaged,
    exported,
    exported_and_there,
    indexed,
    installed,
    many,
    marked,
    nothing,
    numbers,
    older,
    strange,
    wanted,
    web,
    with_hub,
)
from faults.box import Job, arguments, call
from faults.page import PAGE_JOBS
from faults.people import PEOPLE_JOBS
from index import Catalogue
from photosearch import Finished, Library
from photosearch.quantising import run

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
        opened.albums.add_photos(sorted(numbers(opened).values()), 2)


def remove_album(library: str, model: str) -> None:
    with Library.open(library, model=model) as opened:
        opened.albums.remove(2)


def rename_album(library: str, model: str) -> None:
    with Library.open(library, model=model) as opened:
        opened.albums.rename(2, "The best")


def empty_album(library: str, model: str) -> None:
    with Library.open(library, model=model) as opened:
        opened.albums.remove_photos(sorted(numbers(opened).values()), 2)


def quantise(library: str, model: str) -> None:
    """So small networks take no time that can be compared."""
    run.times_quicker = lambda one, other: 1.0
    with Library.open(library) as opened:
        for _ in opened.models.quantise(model):
            pass


JOBS = (
    Job(
        "index",
        nothing,
        lambda box: arguments(box.model, "index", "--workers", "1", box.photos),
        atomic=False,
    ),
    Job(
        "index again",
        changed,
        lambda box: arguments(box.model, "index", "--workers", "1"),
        atomic=False,
        steps=True,
        # Photos are gone of which the catalogue does not know yet.
        unsound=True,
    ),
    Job(
        "index ADDRESS",
        nothing,
        lambda box: arguments(box.model, "index", "--workers", "1", web(box.models)),
        atomic=False,
    ),
    Job(
        "watch",
        nothing,
        lambda box: call(watch, box.library, box.photos, box.model),
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
    Job(
        "models pull NAME", with_hub, lambda box: arguments(box.model, "models", "pull", OFFER.name)
    ),
    Job("models rm", installed, lambda box: ["models", "rm", "colours"]),
    Job("switch of models", wanted, lambda box: ["index", "--workers", "1"], atomic=False),
    Job(
        "import", exported, lambda box: arguments(box.model, "import", box.out / "old.photosearch")
    ),
    Job(
        "import --replace",
        exported_and_there,
        lambda box: arguments(box.model, "import", "--replace", box.out / "old.photosearch"),
    ),
    Job("export", marked, lambda box: arguments(box.model, "export", box.out / "new.photosearch")),
    Job(
        "export --overwrite --with-models",
        exported_and_there,
        lambda box: arguments(
            *(box.model, "export", "--overwrite", "--with-models", box.out / "old.photosearch")
        ),
    ),
    Job("forget", marked, lambda box: arguments(box.model, "forget", box.photos / "below")),
    Job("forget all", marked, lambda box: arguments(box.model, "forget", box.photos)),
    Job("albums: make", marked, lambda box: call(make_album, box.library, box.model)),
    Job("albums: put in", marked, lambda box: call(fill_album, box.library, box.model)),
    Job("albums: remove", marked, lambda box: call(remove_album, box.library, box.model)),
    Job("albums: rename", marked, lambda box: call(rename_album, box.library, box.model)),
    Job("albums: take out", marked, lambda box: call(empty_album, box.library, box.model)),
    Job("rate", marked, lambda box: arguments(box.model, "rate", "--stars", "2", "1", "2", "3")),
    Job("tag", marked, lambda box: arguments(box.model, "tag", "--add", "sea", "1", "2", "3")),
    Job("mark", marked, lambda box: arguments(box.model, "mark", "--right", "sea", "1", "2", "3")),
    Job("saved add", marked, lambda box: arguments(box.model, "saved", "add", "blues", "blue")),
    Job("saved remove", marked, lambda box: arguments(box.model, "saved", "remove", "reds")),
    Job("config set", marked, lambda box: ["config", "set", "workers", "2"]),
    Job("config unset", configured, lambda box: ["config", "unset", "workers"]),
    Job("models quantise", many, lambda box: call(quantise, box.library, "tiny")),
    Job(
        "write-sidecars",
        marked,
        lambda box: arguments(box.model, "write-sidecars", "--all"),
        atomic=False,
    ),
    Job(
        "share",
        marked,
        lambda box: arguments(box.model, "share", "--to", box.out / "shared", "1", "2"),
        atomic=False,
    ),
    Job(
        "share --size",
        marked,
        lambda box: arguments(box.model, "share", "--size", "64", "--to", box.out / "small", "1"),
        atomic=False,
    ),
    Job(
        "share --zip",
        marked,
        lambda box: arguments(box.model, "share", "--zip", box.out / "shared.zip", "1", "2"),
        leaves_out=True,
    ),
    Job(
        "share --web-album",
        marked,
        lambda box: arguments(box.model, "share", "--web-album", box.out / "album", "1", "2"),
        leaves_out=True,
    ),
    Job(
        "doctor --repair, of rows",
        strange,
        lambda box: arguments(box.model, "doctor", "--repair"),
        atomic=False,
        unsound=True,
    ),
    Job(
        "doctor --repair, of the catalogue",
        damaged,
        lambda box: arguments(box.model, "doctor", "--repair"),
        unsound=True,
    ),
    *PEOPLE_JOBS,
    *PAGE_JOBS,
    *(
        Job(
            f"upgrade from {name}",
            older(name),
            lambda box: call(upgrade, box.library),
            older=True,
        )
        for name in names()[:-1]
    ),
)
