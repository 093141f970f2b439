"""What every back end offers, whatever runs the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

    from photosearch.encoders.calibration import Calibration
    from photosearch.encoders.preprocess import Preprocess


class Encoder(Protocol):
    """Pictures and texts to vectors of one space, compared by their inner product."""

    @property
    def bundle_id(self) -> str:
        """Names the model and its preprocessing; vectors of different ids never mix."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The codes of those that its texts may be in; None when it does not say."""

    @property
    def preprocess(self) -> Preprocess:
        """How a picture becomes the pixels that `encode_pixels` takes."""

    @property
    def calibration(self) -> Calibration | None:
        """What tells which cosines mean something; None when the model does not say."""

    def apart(self, processes: int) -> Path | None:
        """The folder of the bundle, where so many processes that each encode pictures do well.

        None where one for all does better: on a graphics card, with a network that is large, or
        with more cores.
        """

    def load_ahead(self) -> None:
        """Begin to load what texts need, beside whatever is done until one is encoded."""

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, dim) of n pictures of any mode and size."""

    def encode_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, dim) of preprocessed pictures uint8 (n, S, S, 3)."""

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, dim) of n texts."""
