"""The models of a library, as its user sees and changes them."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from index import Catalogue, FaissIndex, WriterLock
from photosearch.encoders import Bundle, Encoder
from photosearch.encoders.bundle import MANIFEST
from photosearch.encoders.packaged import packaged
from photosearch.errors import BundleError, UsageError
from photosearch.explaining import explaining
from photosearch.model_choice import Cutoffs, ModelChoice, bundled_here

if TYPE_CHECKING:
    from photosearch.pulling.advice import Advice, Machine
    from photosearch.pulling.offers import Offer
    from photosearch.pulling.run import PullEvent
    from photosearch.quantising.run import QuantiseEvent

Kind = Literal["bundled", "installed", "named", "packaged", "gone"]


@dataclass(frozen=True)
class Model:
    """A model that is here, or one of which only vectors are left.

    kind: "bundled" comes with photosearch, "installed" is a copy in the library folder, "named" is
    given with `--model`, "packaged" comes with a plugin, and "gone" is not here any more: then
    `dim`, `bytes`, `licence` and `card` are None. `bytes` is the size of its files, and `card` the
    Markdown text of its model card, None also where it comes without one.
    `active`: it answers searches. `wanted`: it does, or will once it has encoded all photos.
    `encoded`: photos, present or missing, that have a vector of it. `cutoffs`: where it is from
    what tells that a photo does not fit; None where nothing does, and searches always find.
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
    cutoffs: Cutoffs | None = None


@dataclass(frozen=True)
class Advised:
    """`recommended` is the model to offer, and where texts are in a language that it does not know
    one that does; `all` are all that can be downloaded, the best ones first.

    `photos` are those that the library has, and `free` the bytes of disk space.
    """

    recommended: tuple[Advice, ...]
    all: tuple[Advice, ...]
    photos: int
    free: int


@dataclass(frozen=True)
class Removed:
    """A model that was removed: the vectors dropped, and the bytes of the files deleted."""

    id: str
    vectors: int
    bytes: int


@explaining
class Models:
    """`library.models`. A model is meant by its name, its id, or the beginning of its id."""

    def __init__(self, catalogue: Catalogue, choice: ModelChoice, lock: WriterLock) -> None:
        self._catalogue, self._choice, self._lock = catalogue, choice, lock

    @property
    def encoder(self) -> Encoder:
        """The model that answers searches, opened when it is first needed.

        Raises `BundleError` when it is not here, or damaged; `LibraryError`.
        """
        return self._choice.searching_encoder()

    def all(self) -> list[Model]:
        """The models that are here, the bundled one first, and those of which vectors are left.

        Raises `LibraryError`.
        """
        vectors = self._catalogue.counts().embeddings
        answering, wanted = self._choice.answering_id(), self._choice.wanted_id()
        found: dict[str, tuple[Kind, Bundle]] = {}
        bundled = bundled_here()
        if bundled is not None:
            found[bundled.id] = "bundled", bundled
        for bundle_id in self._choice.store.ids():
            with suppress(BundleError):
                bundle = Bundle.open(self._choice.store.place(bundle_id), verify=False)
                found.setdefault(bundle_id, ("installed", bundle))
        if self._choice.named is not None:
            bundle = Bundle.open(self._choice.named, verify=False)
            found.setdefault(bundle.id, ("named", bundle))
        for bundle_id, bundle in packaged().items():
            found.setdefault(bundle_id, ("packaged", bundle))
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
                    cutoffs=self._choice.cutoffs(bundle),
                )
            )
        for bundle_id in sorted(vectors.keys() - found.keys()):
            name = bundle_id.rsplit("-", 2)[0]
            chosen = bundle_id == wanted
            listed.append(Model(bundle_id, name, "gone", False, chosen, vectors[bundle_id]))
        return listed

    def get(self, name: str) -> Model:
        """The model meant by `name`.

        Raises `UsageError` when there is none, or more than one; `LibraryError`.
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

    def offers(self) -> list[Offer]:
        """The models that `pull` can download, the recommended ones first."""
        from photosearch.pulling.offers import OFFERS
        from photosearch.pulling.run import installed

        store = self._choice.store
        return [replace(offer, here=installed(store, offer.name) is not None) for offer in OFFERS]

    def advice(self, language: str = "en") -> Advised:
        """What suits this machine, this library and texts in `language`, a code like "de".

        The first time in a process the machine is measured, for some tenths of a second.
        """
        from photosearch.pulling.advice import advise, recommended

        machine = self._machine()
        offers = self.offers()
        return Advised(
            tuple(recommended(machine, language, offers)),
            tuple(advise(machine, language, offers)),
            machine.photos,
            machine.free,
        )

    def _photos(self) -> int:
        counts = self._catalogue.counts()
        return counts.photos + counts.missing

    def _machine(self) -> Machine:
        import shutil

        from photosearch.capacity import total_memory
        from photosearch.library.speed import reading_seconds
        from photosearch.pulling.advice import Machine
        from photosearch.pulling.pace import measured_pace

        folder = self._catalogue.folder
        photos = self._photos()
        return Machine(
            memory=total_memory(),
            free=shutil.disk_usage(folder).free,
            pace=measured_pace(self._choice.settings.threads),
            photos=photos,
            reading=reading_seconds(folder),
        )

    def pull(
        self, name: str, *, accept_licence: str | None = None
    ) -> Generator[PullEvent, None, None]:
        """Download the offered model of that name as a bundle; searches do not change.

        Of a folder that is named instead, which holds a bundle, a copy is made.

        `accept_licence` names the licence of a model that may not be used without consent. The
        last event is `Pulled`, with the id for `use`. However the iterator ends before that, what
        was downloaded is kept, and the next call goes on from there.

        Raises `UsageError` for an unknown name, a licence not accepted, a trainer that is missing
        where one is needed, or the setting `offline`, before anything is downloaded;
        `DownloadError`; `BundleError`; `LibraryError`.
        """
        from photosearch.pulling.offers import check_licence, find_offer
        from photosearch.pulling.offline import check_online
        from photosearch.pulling.run import pull

        folder = folder_of(name)
        if folder is not None:
            return self.add(folder)
        offer = find_offer(name)
        check_licence(offer, accept_licence)
        settings = self._choice.settings
        check_online(offer.name, settings)
        return pull(self._choice.store, offer, endpoint=settings.endpoint, photos=self._photos())

    def add(self, folder: str | os.PathLike[str]) -> Generator[PullEvent, None, None]:
        """Copy the bundle in `folder`, or in the only folder there that is one; as `pull` does.

        Raises `BundleError` where there is none; `DownloadError` where the disk is too full;
        `LibraryError`.
        """
        from photosearch.pulling.run import add_folder

        return add_folder(self._choice.store, Path(folder).expanduser(), photos=self._photos())

    def quantise(self, name: str) -> Generator[QuantiseEvent, None, None]:
        """Make a copy of a model with its weights in 8 bits, where that finds the same photos.

        It is compared with the model on photos of the library, and called NAME-8bit. Searches do
        not change. The last event is `Quantised`, with the id for `use`.

        Raises `UsageError` for an unknown model, a package that is missing, or a library of fewer
        than 100 photos; `BundleError` when the model does not gain; `LibraryError`.
        """
        from photosearch.calibrating.fitting import bank
        from photosearch.encoders.preprocess import Preprocess
        from photosearch.indexing.decoding import Decoding
        from photosearch.quantising.graphs import check_installed
        from photosearch.quantising.photos import some_photos
        from photosearch.quantising.run import quantise

        check_installed()
        model = self.get(name)
        folder = self._choice.named if model.kind == "named" else self._choice.find(model.id)
        if folder is None:
            raise UsageError(f"{model.id}: only its vectors are left; bring its bundle back first")
        bundle = Bundle.open(folder)
        settings = self._choice.settings
        decoding = Decoding.of(settings)
        pixels = some_photos(self._catalogue, Preprocess(bundle.image), decoding)
        store = self._choice.store
        return quantise(store, bundle, pixels, bank()[::3], threads=settings.threads)

    def use(self, model: str | os.PathLike[str], *, at_once: bool = False) -> Model:
        """Choose the model for searches; of the folder of a bundle a copy is made.

        It answers as soon as it has encoded all photos, which `index` does; the present one answers
        until then. With `at_once` it answers now, and finds only what it has encoded.

        Raises `UsageError` when there is no such model; `BundleError` when it is not whole, or
        gives no vectors that are of use, and nothing has changed then; `LibraryError`, also when
        another process is changing the library.
        """
        with self._lock.held():
            chosen = self._want(os.fspath(model))
            if at_once or not self._catalogue.waiting_count(chosen.id):
                self._choice.switch_to(chosen.id)
            return self.get(chosen.id)

    def waiting(self, model_id: str) -> int:
        """How many photos other models have encoded, and that of this id has not.

        Raises `LibraryError`.
        """
        return self._catalogue.waiting_count(model_id)

    def remove(self, name: str, *, keep_vectors: bool = False) -> Removed:
        """Delete a model's copy in the library folder, and the vectors that it made.

        With `keep_vectors` they stay, and need not be made again when the model is back. Of an
        offered model that is not here, what is left of a download is deleted.

        Raises `UsageError` for a model that answers searches, or is to, and for one that is not in
        the library folder; `BundleError` when it cannot be deleted; `LibraryError`, also when
        another process is changing the library.
        """
        with self._lock.held():
            return self._remove(name, keep_vectors)

    def discard(self, name: str) -> int:
        """Delete what is left of a download of the offered model; the bytes of it.

        Raises `LibraryError` when a process is downloading it now.
        """
        from photosearch.pulling.offers import find_offer
        from photosearch.pulling.run import discard

        with suppress(UsageError):
            return discard(self._choice.store, find_offer(name))
        return 0

    def _want(self, name: str) -> Model:
        """Want the model of that name, or the bundle in that folder, of which a copy is made.

        One that does not do for searches is refused before anything is changed.
        """
        folder = folder_of(name)
        if folder is not None:
            bundle = Bundle.open(folder)
            bundled = bundled_here()
            if bundled is None or bundle.id != bundled.id:
                self._try(folder)
                self._choice.store.add(folder)
            name = bundle.id
        model = self.get(name)
        if model.kind == "gone":
            raise UsageError(
                f"{model.id}: only its vectors are left; name the folder of its bundle instead"
            )
        if model.kind == "packaged":
            # The vectors outlive the package.
            self._try(packaged()[model.id].folder)
            self._choice.store.add(packaged()[model.id].folder)
        elif folder is None and model.kind == "installed":
            self._try(self._choice.store.place(model.id))
        # Whoever chooses the bundled one gets that of a later photosearch too.
        self._catalogue.want_bundle(None if model.kind == "bundled" else model.id)
        return self.get(model.id)

    def _try(self, folder: Path) -> None:
        from photosearch.indexing.trial import try_model

        try_model(folder, self._choice.settings)

    def _remove(self, name: str, keep_vectors: bool) -> Removed:
        try:
            model = self.get(name)
        except UsageError:
            if not (freed := self.discard(name)):
                raise
            return Removed(name, 0, freed)
        if model.active or model.wanted:
            role = "answers searches" if model.active else "is to answer searches"
            raise UsageError(
                f"{model.id}: {role}; choose another first, with `photosearch models use`"
            )
        if model.kind == "bundled":
            raise UsageError(f"{model.id}: comes with photosearch, and is never removed")
        if model.kind == "packaged":
            raise UsageError(f"{model.id}: comes with a plugin, and goes when you uninstall that")
        if model.kind == "named":
            raise UsageError(
                f"{model.id}: is not in the library folder; delete its folder yourself"
            )
        if model.kind == "gone" and keep_vectors:
            raise UsageError(f"{model.id}: only its vectors are left; leave out --keep-vectors")
        freed = self._choice.store.remove(model.id) if model.kind == "installed" else 0
        dropped = 0
        if not keep_vectors:
            dropped = self._catalogue.drop_bundle(model.id)
            freed += FaissIndex.discard(self._catalogue.folder, model.id)
            freed += self._choice.calibrations.remove(model.id)
        return Removed(model.id, dropped, freed)


def folder_of(name: str) -> Path | None:
    """The folder that `name` means, None where it is the name of a model."""
    folder = Path(name).expanduser()
    # Windows takes a slash as well.
    is_path = os.sep in name or (os.altsep is not None and os.altsep in name)
    return folder if is_path or (folder / MANIFEST).is_file() else None
