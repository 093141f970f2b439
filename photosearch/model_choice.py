"""Which model answers searches, and which others there are."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from photosearch.explaining import explained
from photosearch.models import Model, Removed, folder_of
from photosearch.opened import OpenLibrary

if TYPE_CHECKING:
    from photosearch.pulling.offers import Offer
    from photosearch.pulling.run import PullEvent


class ModelChoice(OpenLibrary):
    """The part of `Library` that is about models."""

    def models(self) -> list[Model]:
        """The models that are here, and those of which only vectors are left.

        Raises `LibraryError`.
        """
        with explained():
            return self._models.all()

    def model(self, name: str) -> Model:
        """The model meant by its name, its id, or the beginning of its id.

        Raises `UsageError` when there is none, or more than one; `LibraryError`.
        """
        with explained():
            return self._models.resolve(name)

    def offers(self) -> list[Offer]:
        """The models that `pull_model` can download, the recommended ones first."""
        from photosearch.pulling.offers import OFFERS
        from photosearch.pulling.run import installed

        store = self._models.store
        return [replace(offer, here=installed(store, offer.name) is not None) for offer in OFFERS]

    def pull_model(
        self, name: str, *, accept_licence: str | None = None
    ) -> Generator[PullEvent, None, None]:
        """Download the offered model of that name and convert it; searches do not change.

        Of a folder that is named instead, which holds a bundle, a copy is made.

        `accept_licence` names the licence of a model that may not be used without consent. The
        last event is `Pulled`, with the id for `use_model`. However the iterator ends before that,
        what was downloaded is kept, and the next call goes on from there.

        Raises `UsageError` for an unknown name, a licence not accepted, or a missing trainer,
        before anything is downloaded; `DownloadError`; `BundleError`; `LibraryError`.
        """
        from photosearch.pulling.offers import check_licence, find_offer
        from photosearch.pulling.run import add_folder, pull

        folder = folder_of(name)
        if folder is not None:
            return add_folder(self._models.store, folder)
        offer = find_offer(name)
        check_licence(offer, accept_licence)
        return self._pulling(pull(self._models.store, offer))

    def _pulling(
        self, events: Generator[PullEvent, None, None]
    ) -> Generator[PullEvent, None, None]:
        with explained():
            yield from events

    def remove_model(self, name: str, *, keep_vectors: bool = False) -> Removed:
        """Delete a model's copy in the library folder, and the vectors that it made.

        With `keep_vectors` they stay, and need not be made again when the model is back. Of an
        offered model that is not here, what is left of a download is deleted.

        Raises `UsageError` for a model that answers searches, or is to, and for one that is not in
        the library folder; `BundleError` when it cannot be deleted; `LibraryError`, also when
        another process is changing the library.
        """
        with self.writing(), explained():
            return self._models.remove(name, keep_vectors=keep_vectors)

    def use_model(self, model: str | os.PathLike[str], *, at_once: bool = False) -> Model:
        """Choose the model for searches: by name or id, or the folder of a bundle, which is copied.

        It answers as soon as it has encoded all photos, which `index` does; the present one answers
        until then. With `at_once` it answers now, and finds only what it has encoded.

        Raises `UsageError` when there is no such model; `BundleError` when it is not whole;
        `LibraryError`, also when another process is changing the library.
        """
        with self.writing(), explained():
            chosen = self._models.choose(os.fspath(model))
            if at_once or not self._catalogue.waiting_count(chosen.id):
                self._models.switch_to(chosen.id)
            return self._models.resolve(chosen.id)
