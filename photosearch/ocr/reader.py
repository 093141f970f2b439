"""The program that reads text in a picture."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from photosearch.encoders.onnx import import_onnxruntime
from photosearch.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

# Longer sides gain nothing: the reader scales down to about this itself.
SIDE = 1600
# Lines that it is less sure of are mostly textures.
_SURE = 0.7


class TextReader:
    """RapidOCR with the models in its package: Latin letters and Chinese. Nothing is downloaded.

    Raises `UsageError` when the extra is not installed.
    """

    def __init__(self, threads: int = -1) -> None:
        check_reader()
        import_onnxruntime()
        from rapidocr import RapidOCR

        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            }
        )

    def read(self, image: Image) -> str:
        """The lines of text in a picture; "" when there are none."""
        pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]
        found = self._engine(np.ascontiguousarray(pixels))
        if not found.txts:
            return ""
        lines = zip(found.txts, found.scores, strict=True)
        return "\n".join(text.strip() for text, score in lines if score >= _SURE and text.strip())


def check_reader() -> None:
    """Raise `UsageError` unless the extra is installed; nothing is imported."""
    if find_spec("rapidocr") is None:
        raise UsageError(
            "reading text in photos needs an extra; install it: pip install 'photosearch[ocr]'"
        )
