"""Which model answers searches in a library, and which one is to answer next.

The one that answers is the catalogue's active bundle. The one that is wanted is what the user
chose, or else the bundle that comes with photosearch, whichever that is after an upgrade. As long
as the two differ, the wanted one's vectors are built beside the others; then it becomes active.

A model named by `--model` or PHOTOSEARCH_MODEL is both, and changes neither.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from index import Catalogue
from photosearch.encoders import Bundle, BundleStore, Encoder, bundled_path, open_encoder
from photosearch.encoders.packaged import packaged
from photosearch.errors import BundleError
from photosearch.settings import read

if TYPE_CHECKING:
    from photosearch.calibrating.own import OwnCalibrations
    from photosearch.encoders import Calibration

FOLDER = "models"


@dataclass(frozen=True)
class Cutoffs:
    """Where it is from what tells that a photo does not fit: `source` is "model" where that brings
    it, or "photos" where it was fitted here, on a library of so many, without labels."""

    source: Literal["model", "photos"]
    photos: int = 0


class ModelChoice:
    """That of one library. `named` is the folder of a bundle to use whatever is chosen."""

    def __init__(self, catalogue: Catalogue, named: str | os.PathLike[str] | None) -> None:
        self._catalogue = catalogue
        self.settings = read(catalogue.folder, model=named or None)
        self.named = self.settings.model
        self.store = BundleStore(catalogue.folder / FOLDER)
        self._encoders: dict[Path, Encoder] = {}
        self._answering: tuple[tuple[str | None, int], Path | None] | None = None

    def encoder(self, folder: Path) -> Encoder:
        """The encoder of the bundle in `folder`, opened once. Raises `BundleError`."""
        if folder not in self._encoders:
            self._encoders[folder] = open_encoder(folder, self.settings)
        return self._encoders[folder]

    def release(self, keep: Path) -> None:
        """Let go of all encoders but that of one folder."""
        self._encoders = {path: each for path, each in self._encoders.items() if path == keep}

    def find(self, bundle_id: str) -> Path | None:
        """The folder of the bundle of this id, None when it is not here."""
        bundled = bundled_here()
        if bundled is not None and bundled.id == bundle_id:
            return bundled.folder
        if self.store.holds(bundle_id):
            return self.store.place(bundle_id)
        found = packaged().get(bundle_id)
        return None if found is None else found.folder

    def answering(self) -> Path | None:
        """The folder of the model that answers searches, None when none that is here can.

        That is the active one. Where none is active yet, or it is not here any more, it is the one
        that has most vectors.
        """
        if self.named is not None:
            return self.named
        # Only where there is no active one do the vectors matter.
        active = self._catalogue.active_bundle
        state = (active, self._catalogue.generation)
        if self._answering is None or self._answering[0] != state:
            self._answering = (state, self._find_answering(active))
        return self._answering[1]

    def _find_answering(self, active: str | None) -> Path | None:
        if active is not None and (folder := self.find(active)) is not None:
            return folder
        vectors = self._catalogue.counts().embeddings
        for bundle_id in sorted(vectors, key=lambda each: vectors[each], reverse=True):
            if (folder := self.find(bundle_id)) is not None:
                return folder
        return None

    def wanted(self) -> Path:
        """The folder of the model that is to answer.

        Raises `BundleError` when it was chosen and is not here any more.
        """
        if self.named is not None:
            return self.named
        chosen = self._catalogue.wanted_bundle
        if chosen is None:
            return bundled_path()
        folder = self.find(chosen)
        if folder is None:
            raise BundleError(
                f"{chosen}: the model chosen for this library is not at "
                f"{self.store.place(chosen)} any more; choose another, as with "
                f"`photosearch models use {bundled_path().name}`"
            )
        return folder

    def searching(self) -> Path:
        """The folder of the model to search with.

        Raises `BundleError` when the photos have vectors, but of no model that is here.
        """
        answering = self.answering()
        if answering is not None:
            return answering
        wanted = self.wanted()
        lost = self._catalogue.bundle_ids()
        if lost:
            raise BundleError(
                f"the photos were encoded by {' and '.join(lost)}, which is not here any more; run "
                f"`photosearch index` to encode them by {wanted.name}, or get it back with "
                "`photosearch models use FOLDER`"
            )
        return wanted

    def searching_encoder(self) -> Encoder:
        """That of the model to search with, opened when it is first needed.

        Raises `BundleError` when it is not here, or damaged.
        """
        return self.encoder(self.searching())

    @cached_property
    def calibrations(self) -> OwnCalibrations:
        """What the library has fitted for models that bring no calibration."""
        # Imported for them alone: the bundled model brings one.
        from photosearch.calibrating.own import OwnCalibrations

        return OwnCalibrations(self._catalogue.folder)

    def calibration(self, encoder: Encoder) -> Calibration | None:
        """What tells which cosines of a model mean something: its own, or what the library has
        fitted for it; None where nothing does."""
        return encoder.calibration or self.calibrations.of(encoder.bundle_id)

    def cutoffs(self, bundle: Bundle) -> Cutoffs | None:
        """Where the cut-offs of a model are from."""
        if bundle.manifest["calibration"]:
            return Cutoffs("model")
        photos = self.calibrations.photos(bundle.id)
        return Cutoffs("photos", photos) if photos else None

    def calibrate(self, folder: Path, stop: threading.Event | None = None) -> None:
        """Fit the cut-offs of the model in `folder`, where it has none and the photos suffice."""
        from photosearch.calibrating.fitting import fit, is_due

        encoder = self.encoder(folder)
        if is_due(self._catalogue, encoder, self.calibrations):
            fit(self._catalogue, encoder, self.calibrations, stop)

    def keep(self, folder: Path) -> None:
        """Copy the bundle that comes with photosearch, for when another comes in its place."""
        if folder == bundled_path() and not self._catalogue.readonly:
            # Where there is no room for it, the photos can still be indexed.
            with suppress(BundleError):
                self.store.add(folder)

    def switch(self, folder: Path) -> str | None:
        """Let the bundle in `folder` answer; the id of the one that did, None when none did."""
        before, now = self._catalogue.active_bundle, Bundle.open(folder, verify=False).id
        if before == now:
            return None
        self._catalogue.use_bundle(now)
        self.release(folder)
        return before

    def switch_to(self, bundle_id: str) -> None:
        """As `switch`, for a bundle that is here by its id."""
        folder = self.find(bundle_id)
        if folder is not None:
            self.switch(folder)

    def state(self) -> tuple[str, bool, str | None]:
        """The id of the model that answers, whether it is here, and the id of the next, if any."""
        answering, wanted = self.answering(), self.wanted_id()
        if answering is not None:
            answers = _id(answering)
            return answers, True, wanted if wanted != answers else None
        lost = self._catalogue.active_bundle or next(iter(self._catalogue.bundle_ids()), None)
        if lost is not None:
            return lost, False, wanted
        return _id(self.wanted()), True, None

    def answering_cutoffs(self) -> Cutoffs | None:
        """Where the cut-offs of the model that answers are from."""
        folder = self.answering()
        return None if folder is None else self.cutoffs(Bundle.open(folder, verify=False))

    def answering_id(self) -> str | None:
        """The id of the model that answers searches, None when none that is here can."""
        folder = self.answering()
        return None if folder is None else _id(folder)

    def wanted_id(self) -> str | None:
        """The id of the model that is to answer, also where it is not here any more."""
        with suppress(BundleError):
            return _id(self.wanted())
        return self._catalogue.wanted_bundle


def bundled_here() -> Bundle | None:
    """The bundle that comes with photosearch, None when it is not here."""
    with suppress(BundleError):
        return Bundle.open(bundled_path(), verify=False)
    return None


def _id(folder: Path) -> str:
    return Bundle.open(folder, verify=False).id
