"""What a model that was trained with a sigmoid has learned of its cosines: a scale and a bias.

Networks published as ONNX do not hold the two, and their settings tell only what training began
with. They stand in the original weights, of which just these bytes are read: a file of safetensors
begins with a table of where everything in it lies.
"""

from __future__ import annotations

import json
import logging
import math
import struct

from photosearch.errors import DownloadError
from photosearch.pulling.download import HubFile, look_up, read_part

_WEIGHTS = "open_clip_model.safetensors"
_LONGEST_TABLE = 10_000_000
_log = logging.getLogger(__name__)


def read_sigmoid(repository: str, endpoint: str | None = None) -> tuple[float, float] | None:
    """Scale and bias of the model whose weights are there; None when they cannot be read.

    The model works without them, but for telling what does not fit at all.
    """
    try:
        file = look_up(repository, _WEIGHTS, endpoint=endpoint)
        return None if file is None else _scalars(file)
    except (DownloadError, ValueError, KeyError, TypeError, struct.error, OverflowError):
        _log.debug("the scale and bias of %s are not known", repository, exc_info=True)
        return None


def _scalars(file: HubFile) -> tuple[float, float]:
    (length,) = struct.unpack("<Q", read_part(file, 0, 8))
    if length > _LONGEST_TABLE:
        raise ValueError("the table of weights is too long to be one")
    table = json.loads(read_part(file, 8, 8 + length))
    found: list[float] = []
    for name in ("logit_scale", "logit_bias"):
        start, end = table[name]["data_offsets"]
        if table[name]["dtype"] != "F32" or end - start != 4:
            raise ValueError(f"{name} is no single number")
        place = 8 + length + start
        found += struct.unpack("<f", read_part(file, place, place + 4))
    scale, bias = math.exp(found[0]), found[1]
    if not (math.isfinite(scale) and math.isfinite(bias)):
        raise ValueError("they are no numbers")
    return scale, bias
