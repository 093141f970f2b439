"""The network of a process that decodes: it encodes what it has decoded, a few photos at a time.

So nothing waits for anything: no pixels go through pipes, and each core has one process that is
always at work. Imported by such processes alone.
"""

from __future__ import annotations

from pathlib import Path

from photosearch.encoders import Bundle
from photosearch.encoders.onnx import OnnxEncoder
from photosearch.errors import BundleError, PhotosearchError
from photosearch.indexing.decode import Decoded
from photosearch.indexing.encoding import count_squares, light
from photosearch.indexing.pace import Pace
from photosearch.indexing.serving import Result

# Squares at once. A core does not keep the weights while it decodes, and reads them anew for each
# batch: four at once cost a twentieth more, decoding included, and sixteen no less.
_SQUARES = 8
# What is decoded waits no longer for its batch, which takes no longer. With what the recording
# process waits for (`pace.COMMIT_SECONDS`) that makes two seconds of work that a kill may cost.
_SECONDS = 0.6


class OwnNetwork:
    """The image network of the bundle in `folder`, loaded when it is first needed.

    Gathers decoded pictures, and gives them back in their order, encoded.
    """

    def __init__(self, folder: Path) -> None:
        bundle = Bundle.open(folder, verify=False)
        self._encoder = OnnxEncoder(bundle, threads=1, provider="cpu")
        self._folder = folder
        self._pace = Pace(_SQUARES, _SECONDS)
        self._waiting: list[tuple[str, Decoded]] = []
        self.memory = self._encoder.memory

    def add(self, path: str, decoded: Decoded) -> None:
        if not self._waiting:
            self._pace.start()
        self._waiting.append((path, decoded))

    @property
    def is_due(self) -> bool:
        """Whether it is time to encode what was added."""
        return self._pace.is_due(count_squares([photo for _, photo in self._waiting]))

    def encoded(self) -> list[Result]:
        """What was added since this was last asked, with vectors instead of pixels.

        Raises `PhotosearchError` where the network does not load, or fails.
        """
        if not self._waiting:
            return []
        photos = [photo for _, photo in self._waiting]
        try:
            with self._pace.recording(count_squares(photos)):
                done = light(self._encoder, photos, _SQUARES)
        except PhotosearchError:
            raise
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class.
            raise BundleError(
                f"{self._folder}: its network of pictures fails ({error}); fetch the bundle again"
            ) from error
        results = [
            Result(path, photo) for (path, _), photo in zip(self._waiting, done, strict=True)
        ]
        self._waiting = []
        return results
