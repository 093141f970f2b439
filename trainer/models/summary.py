"""What each model of the family weighs and costs, as was counted once; torch need not be loaded.

To count takes half a second a model, so `counted.json` keeps what was counted of each one, with a
hash of its configuration. `python -m trainer.models.summary` counts all of them anew.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.models.config import config_file, model_names

_COUNTED = Path(__file__).with_name("counted.json")


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """One row of the family's table. Counts are of the network as it is deployed, folded.

    `image_macs` are the multiply-adds of one image in convolutions and linear layers, the paper's
    convention; the products of attention layers stand apart in `image_attention_macs`.
    """

    name: str
    image_tower: str
    text_tower: str
    dim: int
    image_px: int
    image_parameters: int
    text_parameters: int
    image_macs: int
    image_attention_macs: int
    source: str


def summary_of(name: str) -> ModelSummary:
    """What was counted of the named model; counted now if its configuration has changed.

    Raises `ValueError` for a name that has no configuration.
    """
    stored = _stored().get(name)
    if stored is not None and stored["of"] == _digest(name):
        return ModelSummary(**stored["counts"])
    from trainer.models.measure import summarise

    return summarise(name)


def _stored() -> dict[str, Any]:
    if not _COUNTED.is_file():
        return {}
    found: dict[str, Any] = json.loads(_COUNTED.read_text(encoding="utf-8"))
    return found


def _digest(name: str) -> str:
    return hashlib.sha256(config_file(name).read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _count_all() -> None:
    from trainer.models.measure import summarise

    counted = {
        name: {"of": _digest(name), "counts": asdict(summarise(name))} for name in model_names()
    }
    _COUNTED.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _count_all()
