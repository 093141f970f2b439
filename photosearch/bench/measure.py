"""The measurements of `photosearch bench`. They read the library and the photos, and write nothing
but to a temporary folder.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from index import Catalogue, FaissIndex
from photosearch.bench.drawn import draw
from photosearch.bench.machine import describe_machine
from photosearch.bench.processes import CommandError, Spent, spend
from photosearch.encoders import Bundle, default_bundle_path
from photosearch.encoders.typical import TYPICAL
from photosearch.errors import LibraryError, UsageError
from photosearch.explaining import explained
from photosearch.library import Library
from photosearch.model_choice import ModelChoice

T = TypeVar("T")

_ROUNDS = 3
# So long an indexing run may take, so that all is done within a minute.
_LONGEST = 15.0
_BEST = 10
_TEXT = "a dog on a beach"


@dataclass(frozen=True)
class Indexing:
    """`photos` were indexed, into a library that is thrown away; `drawn`: they were made for it.

    megapixels, megabytes: of a photo, on average. photos_per_second: without `start_seconds`, which
    is what one photo alone takes. cores: how many were busy. peak_mb: of all processes together;
    0 where the system does not tell, as are the processor's figures.
    """

    photos: int
    drawn: bool
    megapixels: float
    megabytes: float
    photos_per_second: float
    start_seconds: float
    cpu_ms_per_photo: float
    cores: float
    peak_mb: float


@dataclass(frozen=True)
class Searching:
    """Of a library of `photos`: seconds and memory of one search as a command, milliseconds of one
    in a program that goes on, and the share of the ten best photos that it finds.

    `recall` is against comparing all photos.
    """

    photos: int
    cold_seconds: float
    cold_peak_mb: float
    warm_ms: float
    warm_ms_p95: float
    recall: float


@dataclass(frozen=True)
class Report:
    """What was measured; indexing or searching is None where there was nothing to measure."""

    machine: str
    model: str
    indexing: Indexing | None
    searching: Searching | None

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def measure(
    library: Path, model: str | os.PathLike[str] | None, folder: Path | None, photos: int
) -> Report:
    """Index `photos` photos of `folder`, or of the library, and search the library.

    Where there are none, pictures of 12 megapixels are drawn to be indexed.

    Raises `UsageError` for a folder that is not there; `LibraryError` when the library cannot be
    read, or a command fails; `BundleError`.
    """
    with explained():
        return _measure(library, model, folder, photos)


def _measure(
    library: Path, model: str | os.PathLike[str] | None, folder: Path | None, photos: int
) -> Report:
    known = Library.exists(library)
    chosen = _in_folder(folder, photos) if folder else _in_library(library, photos) if known else []
    bundle = _bundle(library, model, known=known)
    # While this process is small: on some systems a process counts what its parent had.
    cold = _cold(library, model) if known else []
    with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as place:
        drawn = not chosen
        indexing = _index(Path(place), bundle.folder, chosen or draw(Path(place, "drawn")), drawn)
    searching = _search(library, bundle, cold) if known else None
    return Report(describe_machine(), bundle.id, indexing, searching)


def _bundle(library: Path, model: str | os.PathLike[str] | None, *, known: bool) -> Bundle:
    """The model that answers."""
    if not known:
        return Bundle.open(model or default_bundle_path(), verify=False)
    with Catalogue.open(library, readonly=True) as catalogue:
        return Bundle.open(ModelChoice(catalogue, model).searching(), verify=False)


def _in_folder(folder: Path, most: int) -> list[str]:
    from photosearch.indexing.scan import Found, resolve_roots, scan

    (root,) = resolve_roots([folder])
    found = [item.path for item in scan(root) if isinstance(item, Found)]
    if not found:
        raise UsageError(f"{folder}: has no pictures in it; name a folder that has")
    return _spread(found, most)


def _in_library(library: Path, most: int) -> list[str]:
    with Catalogue.open(library, readonly=True) as catalogue:
        # Some may be gone since.
        ids = _spread(catalogue.selection.ids(()).tolist(), 2 * most)
        paths = [photo.path for photo in catalogue.photos(ids)]
    return _spread([path for path in paths if os.path.isfile(path)], most)


def _spread(items: list[T], most: int) -> list[T]:
    """Up to so many of them, evenly spread."""
    if len(items) <= most:
        return items
    return [items[place] for place in np.linspace(0, len(items) - 1, most).astype(int)]


def _index(place: Path, bundle: Path, photos: Sequence[str], drawn: bool) -> Indexing | None:
    """Index one photo, and then all of them: the difference is what the others took."""
    runs = []
    for name, paths in (("one", photos[:1]), ("all", photos)):
        library = place / name
        options = ("--library", str(library), "--model", str(bundle))
        spent = _spend("photosearch", *options, "index", *paths, limit=_LONGEST)
        with Catalogue.open(library, readonly=True) as catalogue:
            runs.append((catalogue.photos(catalogue.selection.ids(()).tolist()), spent))
    (first, alone), (done, whole) = runs
    others = len(done) - len(first)
    if others <= 0:
        return None
    # Of a few small pictures the difference can drown in the machine's noise.
    seconds = max(whole.seconds - alone.seconds, 0.1 * whole.seconds)
    cpu = max(whole.cpu_seconds - alone.cpu_seconds, 0.0)
    return Indexing(
        photos=len(done),
        drawn=drawn,
        megapixels=sum(photo.width * photo.height for photo in done) / len(done) / 1e6,
        megabytes=sum(os.path.getsize(photo.path) for photo in done) / len(done) / 1e6,
        photos_per_second=others / seconds,
        start_seconds=alone.seconds,
        cpu_ms_per_photo=1e3 * cpu / others,
        cores=cpu / seconds,
        peak_mb=whole.peak_bytes / 1e6,
    )


def _cold(library: Path, model: str | os.PathLike[str] | None) -> list[Spent]:
    command = ("photosearch.bench.once", library, str(model or ""), _TEXT)
    _spend(*command)  # brings the files into the system's memory
    return [_spend(*command) for _ in range(_ROUNDS)]


def _spend(module: str, *arguments: str | Path, limit: float | None = None) -> Spent:
    try:
        return spend([sys.executable, "-m", module, *arguments], limit=limit)
    except CommandError as error:
        raise LibraryError(f"a command that was to be measured failed: {error}") from error


def _search(library: Path, bundle: Bundle, cold: Sequence[Spent]) -> Searching | None:
    """Searches for descriptions such as people type, each a new one."""
    milliseconds = []
    with Library.open(library, model=bundle.folder, readonly=True) as opened:
        if not opened.search(_TEXT):
            return None
        for text in TYPICAL:
            started = time.perf_counter()
            opened.search(text, literal=True)
            milliseconds.append(1e3 * (time.perf_counter() - started))
        queries = opened.models.encoder.encode_texts(TYPICAL)
    with Catalogue.open(library, readonly=True) as catalogue:
        vectors = FaissIndex.open(catalogue, bundle.id)
        _, found = vectors.search(queries, _BEST)
        # A search among given photos compares all of them.
        _, best = vectors.search(queries, _BEST, among=catalogue.selection.ids(()))
    return Searching(
        photos=len(vectors),
        cold_seconds=float(np.median([spent.seconds for spent in cold])),
        cold_peak_mb=max(spent.peak_bytes for spent in cold) / 1e6,
        warm_ms=float(np.median(milliseconds)),
        warm_ms_p95=float(np.percentile(milliseconds, 95)),
        recall=float(np.mean([np.isin(a, b).mean() for a, b in zip(best, found, strict=True)])),
    )
