"""The parts of a library: each is about one thing, and imported when it is first used.

So a search need not import what keeps albums, nor `photosearch models` what reads texts.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from index import Catalogue, WriterLock
from photosearch.model_choice import ModelChoice
from photosearch.search.searcher import Searcher

if TYPE_CHECKING:
    from photosearch.library.albums import Albums
    from photosearch.library.faces import Faces
    from photosearch.library.feedback import Feedback
    from photosearch.library.marks import Marks
    from photosearch.library.models import Models
    from photosearch.library.people import People
    from photosearch.library.photos import Photos
    from photosearch.library.saved import Saved
    from photosearch.library.texts import Texts


class Parts:
    """What all parts work on, a catalogue above all, and the parts."""

    def __init__(self, catalogue: Catalogue, model: str | os.PathLike[str] | None) -> None:
        """Raises `BundleError` for a model that is none, and has closed the catalogue then."""
        self._catalogue = catalogue
        try:
            self._choice = ModelChoice(catalogue, model)
        except BaseException:
            catalogue.close()
            raise
        self._lock = WriterLock(catalogue.folder)
        self._searcher = Searcher(
            catalogue, self._choice.searching_encoder, self._choice.calibration
        )

    @cached_property
    def photos(self) -> Photos:
        """What is known of each photo, and ways to look through them."""
        from photosearch.library.photos import Photos

        return Photos(self._catalogue, self._searcher, self._choice)

    @cached_property
    def albums(self) -> Albums:
        """Albums and favourites."""
        from photosearch.library.albums import Albums

        return Albums(self._catalogue.shelves)

    @cached_property
    def people(self) -> People:
        """Who is in the photos, and what the user says of these people."""
        from photosearch.library.people import People

        return People(self._catalogue)

    @cached_property
    def faces(self) -> Faces:
        """Faces that are looked for in photos, when somebody asks for it, and whose they are."""
        from photosearch.library.faces import Faces

        return Faces(self._catalogue, self._lock, self._choice.settings)

    @cached_property
    def marks(self) -> Marks:
        """Ratings and keywords of the user's own."""
        from photosearch.library.marks import Marks

        return Marks(self._catalogue, self._lock)

    @cached_property
    def feedback(self) -> Feedback:
        """Which photos are right for a query, and what the model learns from that."""
        from photosearch.library.feedback import Feedback

        return Feedback(self._catalogue, self._searcher, self._choice, self._lock)

    @cached_property
    def saved(self) -> Saved:
        """Saved searches."""
        from photosearch.library.saved import Saved

        return Saved(self._catalogue.saved, self._searcher)

    @cached_property
    def texts(self) -> Texts:
        """The text that can be read in photos."""
        from photosearch.library.texts import Texts

        return Texts(self._catalogue, self._lock, self._choice.settings)

    @cached_property
    def models(self) -> Models:
        """The models: which there are, which one answers, and which can be downloaded."""
        from photosearch.library.models import Models

        return Models(self._catalogue, self._choice, self._lock)
