"""What one search makes and the next can use again, until the library or the model changes."""

from __future__ import annotations

from index import Catalogue, FaissIndex
from index.catalogue.gathered import Gathered
from photosearch.encoders import Encoder
from photosearch.search.compose import SAMPLE
from photosearch.search.embed import Embedder
from photosearch.search.groups import Grouping, Groups
from photosearch.search.layer import Layer


class Kept:
    """What is kept of one catalogue; each is made when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._embedder: Embedder | None = None
        self._learned: bytes | None = None
        self._vectors: tuple[tuple[str, int, tuple[int, int] | None], FaissIndex] | None = None
        self._grouped: tuple[tuple[Grouping, tuple[int, int]], Groups] | None = None
        self._sample: tuple[tuple[str, int], Gathered] | None = None

    def groups(self, by: Grouping) -> Groups:
        """Days or events that photos are together in."""
        edition = self._catalogue.selection.edition
        if self._grouped is None or self._grouped[0] != (by, edition):
            self._grouped = (by, edition), Groups(self._catalogue.selection, by)
        return self._grouped[1]

    def embedder(self, encoder: Encoder) -> Embedder:
        """What gives vectors of texts and pictures by this model, with what it has learned."""
        if self._embedder is None or self._embedder.encoder is not encoder:
            self._embedder = Embedder(encoder, self._catalogue)
            self._learned = None
        learned = self._catalogue.verdicts.layer(encoder.bundle_id)
        if learned != self._learned:
            self._learned = learned
            self._embedder.layer = Layer.from_bytes(learned or b"", encoder.dim)
        return self._embedder

    def sample(self, bundle_id: str) -> Gathered:
        """Photos, spread over the library, by which to tell what is typical of it."""
        state = (bundle_id, self._catalogue.generation)
        if self._sample is None or self._sample[0] != state:
            ids = self._catalogue.selection.ids(())
            chosen = ids[:: -(-len(ids) // SAMPLE)] if len(ids) else ids
            self._sample = state, self.vectors(bundle_id).gather(chosen)
        return self._sample[1]

    def vectors(self, bundle_id: str) -> FaissIndex:
        """The index of the photos' vectors, of the catalogue as it is now."""
        state = (bundle_id, self._catalogue.generation)
        # One that is built anew may find quicker.
        file = FaissIndex.edition(self._catalogue, bundle_id)
        if self._vectors is None or self._vectors[0] != (*state, file):
            opened = FaissIndex.open(self._catalogue, bundle_id)
            # It may have written the file.
            file = FaissIndex.edition(self._catalogue, bundle_id)
            self._vectors = (*state, file), opened
        return self._vectors[1]
