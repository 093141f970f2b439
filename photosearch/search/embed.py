"""The terms of a query to vectors: words, photos of the library, and pictures from elsewhere."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index import Catalogue
from photosearch.elsewhere.addresses import is_address
from photosearch.encoders import Encoder
from photosearch.errors import UsageError
from photosearch.photo import PhotoName, photo_named
from photosearch.search.layer import Layer
from photosearch.search.query import Described, Given, Pictured, Term
from photosearch.silent_drive import NoAnswerError, within

if TYPE_CHECKING:
    from PIL.Image import Image

    from photosearch.indexing.decode import Decoded

Picture: TypeAlias = "Image | bytes | PhotoName"

_KEPT = 512  # texts whose vectors are kept


class Embedder:
    """Gives each term its vector, and remembers those of the latest texts.

    `layer` is what marks of the user put behind the model, if anything.
    """

    def __init__(self, encoder: Encoder, catalogue: Catalogue) -> None:
        self.encoder, self._catalogue = encoder, catalogue
        self.layer: Layer | None = None
        self._texts: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def vectors(
        self, terms: Sequence[Term], pictures: Sequence[Picture] = (), *, files: bool = True
    ) -> list[tuple[NDArray[np.float32], float]]:
        """A unit vector and the weight of each term.

        `pictures` are those that terms refer to by their number. Without `files` no file is
        opened: photos must be in the library.

        Raises `UsageError` for a photo that is not there or cannot be read.
        """
        described = [t.content for t in terms if isinstance(t.content, Described)]
        self._encode([text for content in described for text, _ in content.weighed])
        return [(self._vector(term, pictures, files), term.weight) for term in terms]

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts as they are, which are not remembered."""
        vectors = self.encoder.encode_texts(texts)
        return vectors if self.layer is None else self.layer.adapt(vectors)

    def line(
        self, terms: Sequence[Term], needed: Callable[[NDArray[np.float32]], float]
    ) -> float | None:
        """The score that photos must have for these terms, where there is a layer: of several
        descriptions the mean. `needed` says what they must have with a text as it is.
        """
        wanted = [t for t in terms if t.weight > 0 and isinstance(t.content, Described)]
        if self.layer is None or not wanted:
            return None
        plain = self.unadapted(wanted)
        weights = np.array([term.weight for term in wanted])
        whole = _unit(np.asarray(weights @ plain, np.float32))
        lines = self.layer.lines(plain, np.full(len(wanted), needed(whole)))
        return float(np.average(lines, weights=weights))

    def unadapted(self, terms: Sequence[Term]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of those terms that are described in words, without the layer."""
        described = [t.content for t in terms if isinstance(t.content, Described)]
        self._encode([text for content in described for text, _ in content.weighed])
        if not described:
            return np.empty((0, self.encoder.dim), np.float32)
        return np.stack([self._read(content) for content in described])

    def _encode(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._texts]
        if new:
            for text, vector in zip(new, self.encoder.encode_texts(new), strict=True):
                self._texts[text] = vector
        for text in texts:
            self._texts.move_to_end(text)
        while len(self._texts) > max(_KEPT, len(texts)):
            self._texts.popitem(last=False)

    def _vector(self, term: Term, pictures: Sequence[Picture], files: bool) -> NDArray[np.float32]:
        match term.content:
            case Described() as described:
                return self._words(described)
            case Given(number):
                if number > len(pictures):
                    raise UsageError(
                        f"image:{number} stands for a picture that did not come with the query; "
                        f"there are {len(pictures)}"
                    )
                return self.picture(pictures[number - 1])
            case Pictured(photo):
                return self.photo(photo, files=files)

    def _words(self, described: Described) -> NDArray[np.float32]:
        vector = self._read(described)
        return vector if self.layer is None else self.layer.adapt(vector[None])[0]

    def _read(self, described: Described) -> NDArray[np.float32]:
        """As the model reads it."""
        first, *others = ((self._texts[text], by) for text, by in described.weighed)
        if not others:
            return first[0]
        weighed = [vector * np.float32(by) for vector, by in (first, *others)]
        return _unit(np.sum(weighed, axis=0, dtype=np.float32))

    def photo(self, photo: int | str, *, files: bool = True) -> NDArray[np.float32]:
        """The vector of a photo of the library, or, with `files`, of any picture file."""
        return self.looked_up(photo, files=files)[1]

    def looked_up(
        self, photo: int | str, *, files: bool = True
    ) -> tuple[int | None, NDArray[np.float32]]:
        """As `photo`, with the photo's id first; None for a file that is not in the library."""
        unknown = UsageError(
            f"photo:{photo} is not in the library; give the id or path of one that is"
        )
        photo = photo_named(photo)
        if isinstance(photo, str):
            known, path = self._catalogue.file_at(photo), photo
        elif (known := next(iter(self._catalogue.files([photo])), None)) is None:
            raise unknown
        if known is not None:
            ids, vectors = self._catalogue.selection.vectors(self.encoder.bundle_id, [known.id])
            if len(ids):
                return known.id, _unit(vectors[0].astype(np.float32))
            path = known.path
        if not files:
            raise unknown
        return None if known is None else known.id, self._file(path)

    def picture(self, picture: Picture) -> NDArray[np.float32]:
        """The vector of a picture in memory, or in a file."""
        if isinstance(picture, bytes):
            return self._bytes(picture)
        if isinstance(picture, (int, str, os.PathLike)):
            return self.photo(photo_named(picture))
        return _first(self.encoder.encode_images([picture]))

    def _file(self, path: str) -> NDArray[np.float32]:
        return _first(self.encoder.encode_pixels(self.read(path).pixels[None]))

    def read(self, path: str) -> Decoded:
        """The picture in a file as the model sees it. Raises `UsageError` when there is none.

        At an address it has to be a photo of the library.
        """
        from photosearch.indexing.decode import DecodeError, decode

        try:
            if is_address(path):
                if self._catalogue.file_at(path) is None:
                    raise UsageError(f"{path}: is not in the library; index its folder, or save it")
                with decoders():
                    return decode(path, self.encoder.preprocess)
            if not within(path, os.path.isfile, path):
                raise UsageError(f"{path}: there is no such picture; name a file that is there")
            with decoders():
                return within(path, decode, path, self.encoder.preprocess)
        except DecodeError as error:
            raise UsageError(f"{path}: {error}; name another picture") from error
        except NoAnswerError as error:
            raise UsageError(f"{path}: {error.strerror}") from error

    def _bytes(self, data: bytes) -> NDArray[np.float32]:
        from photosearch.indexing.formats import MAX_PIXELS, open_picture

        side = self.encoder.preprocess.side
        try:
            with decoders():
                image = open_picture(io.BytesIO(data), "", side, MAX_PIXELS).image
        # Given something that is no picture, decoders raise whatever they tripped over.
        except Exception as error:
            raise UsageError(f"the given picture cannot be read ({error}); give another") from error
        return _first(self.encoder.encode_images([image]))


@contextmanager
def decoders() -> Iterator[None]:
    """Makes Pillow ready to decode as the workers do, and leaves it to this program as it was.

    What the decoders print is dropped.
    """
    import warnings

    from PIL import Image

    from photosearch.indexing.decode import prepare_decoders
    from photosearch.indexing.printed import unheard

    most = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings(), unheard():
        prepare_decoders()
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = most


def _first(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    first: NDArray[np.float32] = vectors[0]
    return first


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Back to length 1, which rounding to float16 has changed a little."""
    unit: NDArray[np.float32] = vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))
    return unit
