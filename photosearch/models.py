"""Which models there are for a library, which one answers, and which one is to answer next.

The one that answers is the catalogue's active bundle. The one that is wanted is what the user
chose, or else the bundle that comes with photosearch, whichever that is after an upgrade. As long
as the two differ, the wanted one's vectors are built beside the others; then it becomes active.

A model named by `--model` or PHOTOSEARCH_MODEL is both, and changes neither.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from index import Catalogue, FaissIndex
from photosearch.encoders import Bundle, BundleStore, Encoder, bundled_path, open_encoder
from photosearch.encoders.bundle import MANIFEST
from photosearch.encoders.registry import ENVIRONMENT
from photosearch.errors import BundleError, UsageError

FOLDER = "models"
Kind = Literal["bundled", "installed", "named", "gone"]


@dataclass(frozen=True)
class Model:
    """A model that is here, or one of which only vectors are left.

    kind: "bundled" comes with photosearch, "installed" is a copy in the library folder, "named" is
    given with `--model`, and "gone" is not here any more: then `dim`, `bytes`, `licence` and `card`
    are None. `bytes` is the size of its files, and `card` the Markdown text of its model card, None
    also where it comes without one.
    `active`: it answers searches. `wanted`: it does, or will once it has encoded all photos.
    `encoded`: photos, present or missing, that have a vector of it.
    """

    id: str
    name: str
    kind: Kind
    active: bool
    wanted: bool
    encoded: int
    dim: int | None = None
    bytes: int | None = None
    licence: str | None = None
    card: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Removed:
    """A model that was removed: the vectors dropped, and the bytes of the files deleted."""

    id: str
    vectors: int
    bytes: int


class Models:
    """The models of one library. `named` is the folder of a bundle to use whatever is chosen."""

    def __init__(self, catalogue: Catalogue, named: str | os.PathLike[str] | None) -> None:
        self._catalogue = catalogue
        named = named or os.environ.get(ENVIRONMENT) or None
        self.named = None if named is None else Path(named).expanduser()
        self.store = BundleStore(catalogue.folder / FOLDER)
        self._encoders: dict[Path, Encoder] = {}
        self._answering: tuple[tuple[str | None, int], Path | None] | None = None

    def encoder(self, folder: Path) -> Encoder:
        """The encoder of the bundle in `folder`, opened once. Raises `BundleError`."""
        if folder not in self._encoders:
            self._encoders[folder] = open_encoder(folder)
        return self._encoders[folder]

    def release(self, keep: Path) -> None:
        """Let go of all encoders but that of one folder."""
        self._encoders = {path: each for path, each in self._encoders.items() if path == keep}

    def find(self, bundle_id: str) -> Path | None:
        """The folder of the bundle of this id, None when it is not here."""
        bundled = _bundled()
        if bundled is not None and bundled.id == bundle_id:
            return bundled.folder
        return self.store.place(bundle_id) if self.store.holds(bundle_id) else None

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
        answering, wanted = self.answering(), self._wanted_id()
        if answering is not None:
            answers = self._id(answering)
            return answers, True, wanted if wanted != answers else None
        lost = self._catalogue.active_bundle or next(iter(self._catalogue.bundle_ids()), None)
        if lost is not None:
            return lost, False, wanted
        return self._id(self.wanted()), True, None

    # What the user sees and does

    def all(self) -> list[Model]:
        """The models that are here, the bundled one first, and those of which vectors are left."""
        vectors = self._catalogue.counts().embeddings
        folder = self.answering()
        answering = None if folder is None else self._id(folder)
        wanted = self._wanted_id()
        found: dict[str, tuple[Kind, Bundle]] = {}
        bundled = _bundled()
        if bundled is not None:
            found[bundled.id] = "bundled", bundled
        for bundle_id in self.store.ids():
            with suppress(BundleError):
                bundle = Bundle.open(self.store.place(bundle_id), verify=False)
                found.setdefault(bundle_id, ("installed", bundle))
        if self.named is not None:
            bundle = Bundle.open(self.named, verify=False)
            found.setdefault(bundle.id, ("named", bundle))
        listed = []
        for bundle_id, (kind, bundle) in found.items():
            listed.append(
                Model(
                    id=bundle_id,
                    name=bundle.name,
                    kind=kind,
                    active=bundle_id == answering,
                    wanted=bundle_id == wanted,
                    encoded=vectors.get(bundle_id, 0),
                    dim=bundle.dim,
                    bytes=sum(file["bytes"] for file in bundle.manifest["files"].values()),
                    licence=str(bundle.manifest["licence"]),
                    card=bundle.card(),
                )
            )
        for bundle_id in sorted(vectors.keys() - found.keys()):
            name = bundle_id.rsplit("-", 2)[0]
            chosen = bundle_id == wanted
            listed.append(Model(bundle_id, name, "gone", False, chosen, vectors[bundle_id]))
        return listed

    def resolve(self, name: str) -> Model:
        """The model meant by its name, its id, or the beginning of its id.

        Raises `UsageError` when there is none, or more than one.
        """
        models = self.all()
        for meant in (
            [model for model in models if model.id == name],
            [model for model in models if model.name == name and model.kind == "bundled"],
            [model for model in models if model.name == name],
            [model for model in models if name and model.id.startswith(name)],
        ):
            if len(meant) == 1:
                return meant[0]
            if meant:
                raise UsageError(
                    f"{name}: may be {' or '.join(model.id for model in meant)}; give more of it"
                )
        from photosearch.pulling.offers import OFFERS

        for offer in OFFERS:
            if offer.name.lower() == name.lower():
                raise UsageError(
                    f"{name}: no such model here; `photosearch models pull {offer.name}` downloads "
                    "it"
                )
        raise UsageError(
            f"{name}: no such model; `photosearch models list` names those that are here"
        )

    def choose(self, name: str) -> Model:
        """Want the model of that name, or the bundle in that folder, of which a copy is made.

        Raises `UsageError` when there is none; `BundleError` when it is not whole.
        """
        folder = folder_of(name)
        if folder is not None:
            bundle = Bundle.open(folder)
            bundled = _bundled()
            if bundled is None or bundle.id != bundled.id:
                self.store.add(folder)
            name = bundle.id
        model = self.resolve(name)
        if model.kind == "gone":
            raise UsageError(
                f"{model.id}: only its vectors are left; name the folder of its bundle instead"
            )
        # Whoever chooses the bundled one gets that of a later photosearch too.
        self._catalogue.want_bundle(None if model.kind == "bundled" else model.id)
        return self.resolve(model.id)

    def remove(self, name: str, *, keep_vectors: bool = False) -> Removed:
        """Delete the copy of the model of that name, and its vectors.

        Raises `UsageError` for one that answers searches or is to, that comes with photosearch, or
        that is only named; `BundleError` when it cannot be deleted.
        """
        try:
            model = self.resolve(name)
        except UsageError:
            if not (freed := self._discard_download(name)):
                raise
            return Removed(name, 0, freed)
        if model.active or model.wanted:
            role = "answers searches" if model.active else "is to answer searches"
            raise UsageError(
                f"{model.id}: {role}; choose another first, with `photosearch models use`"
            )
        if model.kind == "bundled":
            raise UsageError(f"{model.id}: comes with photosearch, and is never removed")
        if model.kind == "named":
            raise UsageError(
                f"{model.id}: is not in the library folder; delete its folder yourself"
            )
        if model.kind == "gone" and keep_vectors:
            raise UsageError(f"{model.id}: only its vectors are left; leave out --keep-vectors")
        freed = self.store.remove(model.id) if model.kind == "installed" else 0
        dropped = 0
        if not keep_vectors:
            dropped = self._catalogue.drop_bundle(model.id)
            freed += FaissIndex.discard(self._catalogue.folder, model.id)
        return Removed(model.id, dropped, freed)

    def _discard_download(self, name: str) -> int:
        from photosearch.pulling.offers import find_offer
        from photosearch.pulling.run import discard

        with suppress(UsageError):
            return discard(self.store, find_offer(name))
        return 0

    def _id(self, folder: Path) -> str:
        return Bundle.open(folder, verify=False).id

    def _wanted_id(self) -> str | None:
        with suppress(BundleError):
            return self._id(self.wanted())
        return self._catalogue.wanted_bundle


def folder_of(name: str) -> Path | None:
    """The folder that `name` means, None where it is the name of a model."""
    folder = Path(name).expanduser()
    return folder if os.sep in name or (folder / MANIFEST).is_file() else None


def _bundled() -> Bundle | None:
    with suppress(BundleError):
        return Bundle.open(bundled_path(), verify=False)
    return None
