"""Errors of the index never reach a caller of the library as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_public_names import parts, public

from index import CatalogueError, Mark, WriterLock
from photosearch import Area, Held, Indexed, Library, LibraryError, PeopleEdit
from photosearch.explaining import explaining

# What asks the catalogue, or takes the lock: by heading of docs/api.md, and name.
CALLS: dict[str, dict[str, Callable[[Library], Any]]] = {
    "Library": {
        "index": lambda it: it.index([it.folder]),
        "watch": lambda it: it.watch([it.folder]),
        "search": lambda it: it.search("a cat"),
        "suggest": lambda it: it.suggest("ca"),
        "instead": lambda it: it.instead("a cat"),
        "understand": lambda it: it.understand("in:Rome"),
        "status": lambda it: it.status(),
        "folders": lambda it: it.folders,
        "forget": lambda it: it.forget(it.folder),
        "writing": lambda it: it.writing().__enter__(),
        "export": lambda it: it.export(it.folder / "out"),
        "import_from": lambda it: it.import_from(it.folder / "good", it.folder, replace=True),
        "examine": lambda it: it.examine(it.folder, repair=True),
        "open": lambda it: it.open(it.folder / "damaged"),
        "open_to_read": lambda it: it.open_to_read(it.folder / "damaged"),
    },
    "library.photos": {
        "about": lambda it: it.photos.about(1),
        "files": lambda it: it.photos.files([1]),
        "file_at": lambda it: it.photos.file_at("/a.jpg"),
        "metadata": lambda it: it.photos.metadata([1]),
        "listed": lambda it: it.photos.listed([1]),
        "newest": lambda it: it.photos.newest(),
        "groups": lambda it: it.photos.groups("month"),
        "browse": lambda it: it.photos.browse(),
        "found": lambda it: it.photos.found("a cat"),
        "changes": lambda it: it.photos.changes(),
        "in_folders": lambda it: it.photos.in_folders(),
        "clusters": lambda it: it.photos.clusters(Area(-90, -180, 90, 180), 1.0),
        "within": lambda it: it.photos.within(Area(-90, -180, 90, 180)),
        "days": lambda it: it.photos.days(),
        "trips": lambda it: it.photos.trips(),
        "anniversaries": lambda it: it.photos.anniversaries(date(2024, 2, 29)),
        "facets": lambda it: it.photos.facets(),
        "known_facets": lambda it: it.photos.known_facets(),
        "similar": lambda it: it.photos.similar(1),
        "why": lambda it: it.photos.why(1, "a cat"),
        "duplicates": lambda it: it.photos.duplicates(),
    },
    "library.albums": {
        "all": lambda it: it.albums.all(),
        "of": lambda it: it.albums.of([1]),
        "create": lambda it: it.albums.create("Cats"),
        "rename": lambda it: it.albums.rename(2, "Cats"),
        "remove": lambda it: it.albums.remove(2),
        "add_photos": lambda it: it.albums.add_photos([1]),
        "remove_photos": lambda it: it.albums.remove_photos([1]),
    },
    "library.people": {
        "all": lambda it: it.people.all(),
        "get": lambda it: it.people.get("Anna"),
        "photos": lambda it: it.people.photos("Anna"),
        "together": lambda it: it.people.together("Anna"),
        "rename": lambda it: it.people.rename("Anna", "Ann"),
        "merge": lambda it: it.people.merge(["Anna"], "Ben"),
        "add_names": lambda it: it.people.add_names("Anna", ["Ann"]),
        "split": lambda it: it.people.split("Anna", "Ann"),
        "group": lambda it: it.people.group(["Anna"], "Family"),
        "hide": lambda it: it.people.hide(["Anna"]),
        "reset": lambda it: it.people.reset("Anna"),
        "undo": lambda it: it.people.undo(PeopleEdit("", (), ("anna",))),
    },
    "library.faces": {
        "find": lambda it: it.faces.find(),
        "groups": lambda it: it.faces.groups(),
        "name": lambda it: it.faces.name(1, "Anna"),
        "hide": lambda it: it.faces.hide(1),
        "refuse": lambda it: it.faces.refuse(1, "Anna"),
        "accept": lambda it: it.faces.accept([(1, 1)]),
        "counts": lambda it: it.faces.counts(),
        "forget": lambda it: it.faces.forget(),
        "forget_person": lambda it: it.faces.forget_person("Anna"),
        "unseen": lambda it: it.faces.unseen(),
        "edition": lambda it: it.faces.edition(),
        "name_face": lambda it: it.faces.name_face(1, "Anna"),
        "questions": lambda it: it.faces.questions(),
        "asked": lambda it: it.faces.asked(1),
        "examples": lambda it: it.faces.examples([1]),
        "answer": lambda it: it.faces.answer(1, 2, "yes"),
        "take_back": lambda it: it.faces.take_back(1, 2),
    },
    "library.marks": {
        "of": lambda it: it.marks.of([1]),
        "rate": lambda it: it.marks.rate([1], 4),
        "tag": lambda it: it.marks.tag([1], add=["cat"]),
        "clear_keywords": lambda it: it.marks.clear_keywords([1]),
        "put": lambda it: it.marks.put({1: Mark(4, (), ())}),
        "keywords": lambda it: it.marks.keywords(),
        "write_sidecars": lambda it: it.marks.write_sidecars(None),
    },
    "library.feedback": {
        "mark": lambda it: it.feedback.mark([1], "a cat", right=True),
        "query": lambda it: it.feedback.query("a cat"),
        "all": lambda it: it.feedback.all(),
        "of": lambda it: it.feedback.of([1]),
        "tune": lambda it: it.feedback.tune(),
        "revert": lambda it: it.feedback.revert(),
    },
    "library.saved": {
        "all": lambda it: it.saved.all(),
        "get": lambda it: it.saved.get("cats"),
        "query": lambda it: it.saved.query("cats"),
        "add": lambda it: it.saved.add("cats", "a cat"),
        "remove": lambda it: it.saved.remove("cats"),
    },
    "library.texts": {
        "read": lambda it: it.texts.read(),
        "unread": lambda it: it.texts.unread(),
        "of": lambda it: it.texts.of(1),
        "counts": lambda it: it.texts.counts(),
    },
    "library.models": {
        "all": lambda it: it.models.all(),
        "get": lambda it: it.models.get("tiny"),
        "advice": lambda it: it.models.advice(),
        "add": lambda it: it.models.add("tiny"),
        "use": lambda it: it.models.use("tiny"),
        "quantise": lambda it: it.models.quantise("tiny"),
        "waiting": lambda it: it.models.waiting("tiny"),
        "remove": lambda it: it.models.remove("tiny"),
    },
}
# What asks neither, or only where a model is not named or is downloaded.
OTHERS = {
    "Library": {
        "exists",
        "can_be_written",
        "close",
        "folder",
        "is_current",
        "network_drive",
        "readonly",
    }
    | {heading.removeprefix("library.") for heading in CALLS if heading != "Library"},
    "library.faces": {"group", "keep_back", "ordered", "switch", "wanted"},
    "library.models": {"discard", "encoder", "offers", "pull"},
}


@pytest.fixture
def broken(library: Library) -> Iterator[Library]:
    """One without any tables, that another process is changing."""
    library.export(library.folder / "good")
    (library.folder / "damaged").mkdir()
    (library.folder / "damaged" / "catalogue.db").write_bytes(b"no database" * 100)
    with WriterLock(library.folder).held():
        db = sqlite3.connect(library.folder / "catalogue.db", isolation_level=None)
        for _ in range(2):  # tables of a table go with it
            for kind, name in db.execute("SELECT type, name FROM sqlite_master").fetchall():
                if kind in ("table", "view"):
                    with suppress(sqlite3.Error):
                        db.execute(f'DROP {kind} "{name}"')
        db.close()
        yield library


def test_all_members_are_known_here() -> None:
    for heading, part in parts().items():
        assert CALLS[heading].keys() | OTHERS.get(heading, set()) == public(part).keys()


@pytest.mark.parametrize(
    ("heading", "name"), [(heading, name) for heading, calls in CALLS.items() for name in calls]
)
def test_a_library_that_cannot_be_used_is_a_library_error(
    broken: Library, heading: str, name: str
) -> None:
    with pytest.raises(LibraryError) as caught:  # noqa: PT012 - the first event may raise it
        given = CALLS[heading][name](broken)
        if isinstance(given, Generator):
            next(given)
    assert isinstance(caught.value.__cause__, CatalogueError)


@pytest.mark.slow
def test_a_run_that_is_closed_lets_go_of_the_library(library: Library, photos: Path) -> None:
    events = library.index([photos], workers=1)
    while not isinstance(next(events), Indexed):
        pass
    with pytest.raises(LibraryError, match="is being changed"), Library.open(library.folder) as it:
        list(it.index([photos]))
    events.close()
    with WriterLock(library.folder).held():
        pass


def test_an_event_that_cannot_follow_is_a_library_error(library: Library, photos: Path) -> None:
    """Also where the first ones could be told."""
    with WriterLock(library.folder).held():
        events = library.index([photos], workers=1, wait=True)
        assert isinstance(next(events), Held)
    with closing(sqlite3.connect(library.folder / "catalogue.db", isolation_level=None)) as db:
        db.execute("DROP TABLE folders")
    with pytest.raises(LibraryError, match="folders"):
        next(events)


def test_members_of_a_new_class_are_explained_too() -> None:
    @explaining
    class Part:
        def events(self) -> Generator[int, int, str]:
            assert (yield 1) == 2
            raise CatalogueError("damaged")

        def last(self) -> Generator[int, None, str]:
            yield 1
            return "done"

        @property
        def value(self) -> int:
            raise CatalogueError("damaged")

        def _inside(self) -> None:
            raise CatalogueError("inside")

    events = Part().events()
    assert next(events) == 1
    with pytest.raises(LibraryError, match="damaged"):
        events.send(2)
    with pytest.raises(LibraryError, match="damaged"):
        _ = Part().value
    with pytest.raises(CatalogueError, match="inside"):
        Part()._inside()
    last = Part().last()
    next(last)
    with pytest.raises(StopIteration) as stopped:
        next(last)
    assert stopped.value.value == "done"
