"""Weights that are no bundle yet, as an encoder: computed by PyTorch, on a graphics card too.

encoder = open_towers(Path("runs/s0"), device="cuda")       # what `train` has come to
encoder = open_towers(Path("weights.pt"), model="MobileCLIP-S0")
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photosearch.encoders import Calibration, ImageSettings, Preprocess
from trainer.models.checkpoints import load_into
from trainer.models.config import ModelConfig, config_of, image_facts
from trainer.models.family import Clip, build_from
from trainer.models.tokens import tokenizer_of
from trainer.train.checkpoint import read_about
from trainer.train.kept import Kept
from trainer.train.pixels import normalised
from trainer.train.processes import device_of

if TYPE_CHECKING:
    from PIL.Image import Image

_TEXTS = 256


class Towers:
    """Both towers of a model on one device, in float32; an `Encoder`."""

    languages: frozenset[str] | None = None
    calibration: Calibration | None = None

    def __init__(self, model: Clip, config: ModelConfig, device: torch.device, name: str) -> None:
        self._model, self._config = model.to(device).eval(), config
        self._device, self._name = device, name
        self._preprocess = Preprocess(ImageSettings(**image_facts(config.image)))
        self._tokenise = tokenizer_of(config.text)

    @property
    def bundle_id(self) -> str:
        return self._name

    @property
    def dim(self) -> int:
        return self._config.dim

    @property
    def preprocess(self) -> Preprocess:
        return self._preprocess

    def apart(self, processes: int) -> Path | None:
        return None

    def load_ahead(self) -> None:
        return None

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        return self.encode_pixels(np.stack([self._preprocess.pixels(one) for one in images]))

    @torch.inference_mode()
    def encode_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        pictures = normalised(torch.from_numpy(pixels).to(self._device), self._config.image)
        return _numbers(self._model.encode_image(pictures, normalize=True))

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [
            self._model.encode_text(ids.to(self._device), normalize=True)
            for ids in torch.from_numpy(self._tokenise(list(texts))).split(_TEXTS)
        ]
        return _numbers(torch.cat(rows))


def open_towers(path: Path, *, model: str | None = None, device: str = "auto") -> Towers:
    """The weights in a file, or of the run in a folder: its last ones, averaged.

    `model` is the name of their configuration, which files of `train` say themselves. `device`:
    "cpu", "cuda", or "auto": CUDA where there is any.

    Raises `ValueError` naming what is not there or does not fit.
    """
    place = device_of(device)
    file = path
    if path.is_dir():
        last = path / "model.safetensors"
        found = last if last.is_file() else Kept(path).last()
        if found is None:
            raise ValueError(f"{path}: holds neither bundle.json nor weights of a run")
        file = found
    try:
        settings = read_about(file)["settings"]
        name, size = settings["model"]["name"], settings["data"].get("image_size")
    except (ValueError, KeyError, TypeError):
        if model is None:
            raise ValueError(f"{file}: does not say of which model it is; give --model") from None
        name, size = model, None
    config = config_of(model or name, size)
    towers = build_from(config)
    load_into(towers, file)
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return Towers(towers, config, place, f"{config.name}-weights-{digest[:12]}")


def _numbers(rows: Tensor) -> NDArray[np.float32]:
    return np.asarray(rows.float().cpu().numpy())
