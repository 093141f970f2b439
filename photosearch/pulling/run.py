"""Bringing an offered model into a library: fetched, made a bundle, checked, and moved into place.

Nothing that is used is touched before the last step, which is one rename. However it ends before
that, what was downloaded stays for the next time.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from index import WriterLock
from photosearch.encoders import Bundle, BundleStore
from photosearch.encoders.bundle import CARD, MANIFEST
from photosearch.errors import BundleError, DownloadError
from photosearch.pulling.assemble import check, place_of, weights_of, write_bundle
from photosearch.pulling.convert import annotate, check_trainer, convert
from photosearch.pulling.download import HubFile, fetch, look_up
from photosearch.pulling.layouts import layout_of
from photosearch.pulling.offers import Offer
from photosearch.pulling.sigmoid import read_sigmoid

_FOLDER = ".downloads"
_CONFIG = "open_clip_config.json"
# What a conversion takes beside the download, as a share of it: half, and as much for the work.
_ROOM = 1.2
_LICENCE = "LICENSE"
# Vectors are float16, in the catalogue and in the file that is searched.
_VECTOR = 2 * 2


@dataclass(frozen=True)
class Downloading:
    """`done` of `total` bytes of the model's files are here."""

    model: str
    done: int
    total: int


@dataclass(frozen=True)
class Converting:
    """The files are here and whole; for `seconds` they are being converted, or checked."""

    model: str
    seconds: float


@dataclass(frozen=True)
class Pulled:
    """The model called `model` is in the library, by this id; `fresh` is False if it was before."""

    model: str
    id: str
    fresh: bool


PullEvent = Downloading | Converting | Pulled


def pull(
    store: BundleStore, offer: Offer, *, endpoint: str | None = None, photos: int = 0
) -> Generator[PullEvent, None, None]:
    """Bring the model into the store; `Pulled` comes last.

    `endpoint` is the address of the hub, that of HF_ENDPOINT or the usual one when left out. There
    must also be room for the vectors of so many `photos`.

    Raises `UsageError` when it takes the trainer and that is not installed, before anything is
    downloaded; `DownloadError`; `BundleError` when the networks do not encode, or the store cannot
    be written; `CatalogueError` when another process fetches the same model.
    """
    here = installed(store, offer.name)
    if here is not None:
        yield Pulled(offer.name, here, fresh=False)
        return
    if offer.converted:
        check_trainer()
    listed = _weights(offer, endpoint) if offer.converted else _graphs(offer, endpoint)
    folder = _place(store, offer.name)
    make_folder(folder)
    with WriterLock(folder).held():
        bundle = yield from _bring(store, offer, folder, listed, endpoint, photos)
    shutil.rmtree(folder, ignore_errors=True)
    yield Pulled(offer.name, bundle.id, fresh=True)


def add_folder(
    store: BundleStore, folder: Path, *, photos: int = 0
) -> Generator[PullEvent, None, None]:
    """Copy the bundle in `folder`, or in the one folder there that is a bundle, into the store.

    Raises `BundleError` where there is none, or more than one; `DownloadError` when the disk has no
    room for it, and for the vectors of so many `photos`.
    """
    bundle = Bundle.open(_bundle_in(folder))
    fresh = not store.holds(bundle.id)
    if fresh:
        total = sum(file["bytes"] for file in bundle.manifest["files"].values())
        make_folder(store.folder)
        check_room(store.folder, total + vectors_size(bundle.dim, photos))
        for done in store.adding(bundle.folder):
            yield Downloading(bundle.name, min(done, total), total)
    yield Pulled(bundle.name, bundle.id, fresh)


def _bundle_in(folder: Path) -> Path:
    """The folder itself, or the only one in it that is a bundle, as on a USB stick."""
    if (folder / MANIFEST).is_file():
        return folder
    found = sorted(manifest.parent for manifest in folder.glob(f"*/{MANIFEST}"))
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise BundleError(f"{folder}: holds several models ({names}); name the folder of one")
    # Of none the error says what is missing.
    return found[0] if found else folder


def installed(store: BundleStore, name: str) -> str | None:
    """The id of the model of that name in the store, None when there is none."""
    for bundle_id in store.ids():
        # An id is the name, the version and a hash, and a version has no dash.
        if bundle_id.rsplit("-", 2)[0] == name:
            return bundle_id
    return None


def discard(store: BundleStore, offer: Offer) -> int:
    """Delete what was downloaded of a model that did not get finished; the bytes of it.

    Raises `CatalogueError` when a process is fetching it now.
    """
    folder = _place(store, offer.name)
    if not folder.is_dir():
        return 0
    with WriterLock(folder).held():
        freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder, ignore_errors=True)
    return freed


@dataclass(frozen=True)
class _Listed:
    """The files of a model at one commit: what makes the bundle, and the texts that go along."""

    needed: tuple[HubFile, ...]
    texts: tuple[HubFile, ...]

    @property
    def commit(self) -> str:
        return self.needed[0].commit


def _bring(
    store: BundleStore,
    offer: Offer,
    folder: Path,
    listed: _Listed,
    endpoint: str | None,
    photos: int,
) -> Generator[PullEvent, None, Bundle]:
    try:
        # Of another commit nothing can be used.
        work = folder / listed.commit[:16]
        for other in folder.iterdir():
            if other.is_dir() and other != work:
                shutil.rmtree(other, ignore_errors=True)
        # "bundle" is begun by what converts, or holds the graphs from the start.
        for name in ("model", "texts"):
            (work / name).mkdir(parents=True, exist_ok=True)
        bring = _convert if offer.converted else _take
        beside = vectors_size(offer.dim, photos)
        files = yield from bring(offer, work, listed, endpoint, beside)
        annotate(work / "bundle", offer, files, work / "texts")
        return store.take(work / "bundle")
    except OSError as error:
        raise DownloadError(
            f"{error.filename or folder}: cannot be written ({error.strerror or error}); make room "
            "on the disk, or make the library folder writable, and run the same command again"
        ) from None


def _convert(
    offer: Offer, work: Path, listed: _Listed, _: str | None, beside: int
) -> Generator[PullEvent, None, list[HubFile]]:
    """Weights become a bundle, by the trainer; the files that were used."""
    weights, *config = listed.needed
    files = [*config, weights, *listed.texts]
    size = sum(file.size for file in files)
    _check_room(work, size, beside + int(_ROOM * size))
    yield from _fetched(
        offer,
        [
            (file, work / ("texts" if file in listed.texts else "model") / file.name)
            for file in files
        ],
    )
    for seconds in convert(offer, work / "model" / weights.name, work):
        yield Converting(offer.name, seconds)
    return files


def _take(
    offer: Offer, work: Path, listed: _Listed, endpoint: str | None, beside: int
) -> Generator[PullEvent, None, list[HubFile]]:
    """Graphs become a bundle as they are; the files that were used."""
    layout, bundle = layout_of(offer.kind, offer.variant), work / "bundle"
    graphs = {layout.image, layout.text}
    places = [
        (file, bundle / place_of(layout, file.name))
        if file.name in graphs
        else (file, work / "model" / file.name)
        for file in listed.needed
    ] + [(file, work / "texts" / file.name) for file in listed.texts]
    _check_room(work, sum(file.size for file, _ in places), beside)
    yield from _fetched(offer, places)
    # Only the graphs tell of the files that hold the rest of their weights.
    more = [
        (_there(offer, str(PurePosixPath(name).with_name(file)), listed.commit, endpoint), beside)
        for name in (layout.image, layout.text)
        for graph in [bundle / place_of(layout, name)]
        for file in weights_of(graph, name)
        for beside in [graph.with_name(file)]
    ]
    _check_room(work, sum(file.size for file, _ in (*places, *more)), beside)
    yield from _fetched(offer, more, done=sum(file.size for file, _ in places))
    yield Converting(offer.name, 0.0)
    learned = read_sigmoid(offer.sigmoid, endpoint) if offer.sigmoid else None
    check(write_bundle(offer, work / "model", bundle, learned))
    return [file for file, _ in chain(places, more)]


def _fetched(
    offer: Offer, places: list[tuple[HubFile, Path]], *, done: int = 0
) -> Generator[PullEvent, None, None]:
    """Fetch each file to its place, after `done` bytes of others."""
    total = done + sum(file.size for file, _ in places)
    for file, place in places:
        for got in fetch(file, place):
            yield Downloading(offer.name, done + got, total)
        done += file.size


def _weights(offer: Offer, endpoint: str | None) -> _Listed:
    """The weights, what else the conversion needs, and the texts, all of one commit."""
    found = None
    for name in offer.weights:
        if (found := look_up(offer.repository, name, endpoint=endpoint)) is not None:
            break
    else:
        raise _gone(offer, " or ".join(offer.weights))
    config = () if offer.family else (_there(offer, _CONFIG, found.commit, endpoint),)
    return _Listed((found, *config), _texts(offer, found.commit, endpoint))


def _graphs(offer: Offer, endpoint: str | None) -> _Listed:
    """The graphs, the settings and the texts, all of one commit."""
    layout = layout_of(offer.kind, offer.variant)
    first = _there(offer, layout.config, None, endpoint)
    others = [
        _there(offer, name, first.commit, endpoint)
        for name in (layout.preprocessing, layout.tokenizer, layout.image, layout.text)
    ]
    extra = look_up(
        offer.repository, layout.tokenizer_config, commit=first.commit, endpoint=endpoint
    )
    needed = first, *([extra] if extra else []), *others
    return _Listed(needed, _texts(offer, first.commit, endpoint))


def _texts(offer: Offer, commit: str, endpoint: str | None) -> tuple[HubFile, ...]:
    found = (
        look_up(offer.repository, name, commit=commit, endpoint=endpoint)
        for name in (CARD, _LICENCE)
    )
    return tuple(file for file in found if file is not None)


def _there(offer: Offer, name: str, commit: str | None, endpoint: str | None) -> HubFile:
    """A file that the repository has. Raises `DownloadError`."""
    found = look_up(offer.repository, name, commit=commit, endpoint=endpoint)
    if found is None:
        raise _gone(offer, name)
    return found


def _gone(offer: Offer, wanted: str) -> DownloadError:
    return DownloadError(
        f"{offer.repository}: has no {wanted} any more; a newer photosearch may know where the "
        "model is now"
    )


def _check_room(work: Path, size: int, beside: int) -> None:
    """Raise `DownloadError` unless there is room for what is missing of `size` bytes in `work`, and
    for `beside` more."""
    here = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    check_room(work, max(size - here, 0) + beside)


def make_folder(folder: Path) -> None:
    """Make it where it is not there. Raises `DownloadError` when that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be made ({error.strerror or error}); make the library folder "
            "writable, or room on its disk"
        ) from None


def check_room(folder: Path, needed: int) -> None:
    """Raise `DownloadError` unless so many bytes are free on the disk that `folder` is on."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{folder}: needs {needed / 1e6:.0f} MB of disk space for the model and what is made "
            f"with it, and {free / 1e6:.0f} MB are free; make room"
        )


def vectors_size(dim: int, photos: int) -> int:
    """Bytes that the vectors of so many photos take."""
    return _VECTOR * dim * photos


def _place(store: BundleStore, name: str) -> Path:
    return store.folder / _FOLDER / name
