"""Bringing an offered model into a library: fetched, converted, checked, and moved into place.

Nothing that is used is touched before the last step, which is one rename. However it ends before
that, what was downloaded stays for the next time.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from index import WriterLock
from photosearch.encoders import Bundle, BundleStore
from photosearch.encoders.bundle import CARD
from photosearch.errors import DownloadError
from photosearch.pulling.convert import annotate, check_trainer, convert
from photosearch.pulling.download import HubFile, fetch, look_up
from photosearch.pulling.offers import Offer

_FOLDER = ".downloads"
_CONFIG = "open_clip_config.json"
# What the bundle takes beside the download, as a share of it: half, and as much for the work.
_ROOM = 1.2


@dataclass(frozen=True)
class Downloading:
    """`done` of `total` bytes of the model's files are here."""

    model: str
    done: int
    total: int


@dataclass(frozen=True)
class Converting:
    """The files are here and whole; for `seconds` they are being converted."""

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
    store: BundleStore, offer: Offer, *, endpoint: str | None = None
) -> Generator[PullEvent, None, None]:
    """Bring the model into the store; `Pulled` comes last.

    `endpoint` is the address of the hub, that of HF_ENDPOINT or the usual one when left out.

    Raises `UsageError` when the trainer is not installed, before anything is downloaded;
    `DownloadError`; `BundleError` when the store cannot be written; `CatalogueError` when another
    process fetches the same model.
    """
    here = installed(store, offer.name)
    if here is not None:
        yield Pulled(offer.name, here, fresh=False)
        return
    check_trainer()
    listed = _listed(offer, endpoint)
    folder = _place(store, offer.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be made ({error.strerror}); make the library folder writable"
        ) from None
    with WriterLock(folder).held():
        bundle = yield from _bring(store, offer, folder, *listed)
    shutil.rmtree(folder, ignore_errors=True)
    yield Pulled(offer.name, bundle.id, fresh=True)


def add_folder(store: BundleStore, folder: Path) -> Generator[PullEvent, None, None]:
    """Copy the bundle in `folder` into the store. Raises `BundleError`."""
    bundle = Bundle.open(folder)
    fresh = not store.holds(bundle.id)
    store.add(folder)
    yield Pulled(bundle.name, bundle.id, fresh)


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


def _bring(
    store: BundleStore,
    offer: Offer,
    folder: Path,
    weights: HubFile,
    config: list[HubFile],
    texts: list[HubFile],
) -> Generator[PullEvent, None, Bundle]:
    needed = [weights, *config]
    # Of another commit nothing can be used.
    work = folder / weights.commit[:16]
    for other in folder.iterdir():
        if other.is_dir() and other != work:
            shutil.rmtree(other, ignore_errors=True)
    (work / "model").mkdir(parents=True, exist_ok=True)
    (work / "texts").mkdir(exist_ok=True)
    total = sum(file.size for file in (*needed, *texts))
    _check_room(work, total)
    done = 0
    for file, place in [
        *((file, work / "model") for file in (*config, weights)),
        *((file, work / "texts") for file in texts),
    ]:
        for got in fetch(file, place):
            yield Downloading(offer.name, done + got, total)
        done += file.size
    for seconds in convert(offer, work / "model" / weights.name, work):
        yield Converting(offer.name, seconds)
    annotate(work / "bundle", offer, [*needed, *texts], work / "texts")
    return store.take(work / "bundle")


def _listed(offer: Offer, endpoint: str | None) -> tuple[HubFile, list[HubFile], list[HubFile]]:
    """The weights, what else the conversion needs, and the texts, all of one commit."""
    found = None
    for name in offer.weights:
        if (found := look_up(offer.repository, name, endpoint=endpoint)) is not None:
            break
    config = [_CONFIG] if offer.family is None else []
    others = [
        found and look_up(offer.repository, name, commit=found.commit, endpoint=endpoint)
        for name in (*config, CARD, "LICENSE")
    ]
    if found is None or (config and others[0] is None):
        wanted = " or ".join(offer.weights) if found is None else _CONFIG
        raise DownloadError(
            f"{offer.repository}: has no {wanted} any more; a newer photosearch may know where the "
            "model is now"
        )
    there = [file for file in others if file is not None]
    return found, there[: len(config)], there[len(config) :]


def _check_room(folder: Path, size: int) -> None:
    here = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    needed = max(size - here, 0) + _ROOM * size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{folder}: needs {needed / 1e6:.0f} MB of disk space for the download and its "
            f"conversion, and {free / 1e6:.0f} MB are free; make room"
        )


def _place(store: BundleStore, name: str) -> Path:
    return store.folder / _FOLDER / name
