"""What the page and the servers write beside the catalogue."""

from __future__ import annotations

from pathlib import Path

from faults.before import marked
from faults.box import Box, Job, call
from photosearch import thumbnail_files
from photosearch.serving.own_secret import API, PAGE, own_secret
from photosearch.ui.downloads import Downloads, Order
from photosearch.ui.recent import RecentSearches
from photosearch.ui.switches import Switches

_PICTURE = bytes(range(256)) * 64


def used(box: Box) -> None:
    """A library that the page was used with."""
    marked(box)
    Switches(box.library)["watch"] = True
    recent = RecentSearches(box.library, kept=True)
    for text in ("a dog", "the sea"):
        recent.add(text)
    order(str(box.library), "another")
    own_secret(box.library, API)


def switch(library: str) -> None:
    Switches(Path(library))["reading"] = True


def search(library: str) -> None:
    RecentSearches(Path(library), kept=True).add("a cat")


def clear(library: str) -> None:
    RecentSearches(Path(library), kept=True).clear()


def order(library: str, model: str) -> None:
    """Note what is to be downloaded; the download is a job of its own."""
    Downloads(Path(library), lambda _: True)._keep(Order(model), paused=True)


def picture(library: str) -> None:
    """Twice: others find the first one there."""
    for digest in (b"\1" * 32, b"\1\2" * 16):
        thumbnail_files.keep(Path(library), digest, _PICTURE)


def secret(library: str) -> None:
    """That of the API is there, and that of the page is new."""
    for name in (API, PAGE):
        assert len(own_secret(Path(library), name)) >= 32


PAGE_JOBS = (
    # What cannot be kept holds while the page is served.
    Job("page: a switch", used, lambda box: call(switch, box.library), atomic=False),
    Job("page: a search", used, lambda box: call(search, box.library), atomic=False),
    Job("page: searches cleared", used, lambda box: call(clear, box.library)),
    Job(
        "page: a download asked for", used, lambda box: call(order, box.library, "m"), atomic=False
    ),
    Job("page: small pictures", used, lambda box: call(picture, box.library), atomic=False),
    Job("page: its secret", used, lambda box: call(secret, box.library), atomic=False),
)
