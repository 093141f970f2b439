"""What the tests of reinforcement share: captioned photos, and networks that workers can load."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forked import clean_forks
from PIL import Image
from tars import write_tar

from photosearch.encoders import open_encoder
from trainer.reinforce.augment import AugmentSettings
from trainer.reinforce.networks import Networks
from trainer.reinforce.shard import Reinforcement

RECIPE = Reinforcement(
    augmentation=AugmentSettings(crop_scale=(0.2, 1.0)),
    views=3,
    synthetic=2,
    view_size=64,
    seed=7,
    batch_size=4,
)
TEXTS = ("a cup of coffee", "a cat", "a rocket takes off", "old coins", "a woman in orange")


class BundleTeacher:
    """The tiny bundle's two networks as a teacher."""

    logit_scale = 100.0

    def __init__(self, folder: Path, delay: float = 0.0) -> None:
        self._encoder = open_encoder(folder)
        self._delay = delay
        self.name = folder.name
        self.dim = self._encoder.dim
        weights = [(folder / name).read_bytes() for name in ("image.onnx", "text.onnx")]
        self.digest = hashlib.sha256(b"".join(weights)).hexdigest()

    def embed_images(self, images: Sequence[Image.Image]) -> np.ndarray:
        time.sleep(self._delay)
        return self._encoder.encode_images(images)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        return self._encoder.encode_texts(texts)


class Namer:
    """A captioner: says the label that came with the photo, and the photo's size."""

    name = "namer"
    digest = "0" * 64

    def caption(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        return [
            [f"{n} {meta['label']} {key} {image.size}" for n in range(count)]
            for image, meta, key in zip(images, metas, keys, strict=True)
        ]


def open_bundle(folder: Path, delay: float = 0.0, device: str | None = None) -> Networks:
    return Networks([BundleTeacher(folder, delay)], Namer())


def fork_workers(patch: pytest.MonkeyPatch) -> None:
    """Fork worker processes, which then need not read the modules anew.

    That those that are spawned do the same is a test of its own.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return
    context = clean_forks()
    patch.setattr(multiprocessing, "get_context", lambda method: context)


def pictures(count: int, *, first: int = 0) -> list[bytes]:
    """Files that a small network tells apart: coloured noise of several sizes."""
    files = []
    for number in range(first, first + count):
        random = np.random.default_rng(number)
        coarse = random.integers(0, 256, (4 + number % 3, 5, 3), np.uint8)
        size = (90 + 7 * (number % 5), 80 + 11 * (number % 4))
        image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, "PNG" if number % 2 else "JPEG")
        files.append(buffer.getvalue())
    return files


def write_photos(path: Path, count: int, *, first: int = 0) -> Path:
    """A photo tar; photo number n has n % 3 captions and a label."""
    members = []
    for number, data in enumerate(pictures(count, first=first), first):
        captions = [f"{TEXTS[(number + n) % len(TEXTS)]} {number}" for n in range(number % 3)]
        meta = {"captions": captions, "label": TEXTS[number % len(TEXTS)]}
        suffix = "png" if number % 2 else "jpg"
        members += [(f"p{number}.{suffix}", data), (f"p{number}.json", json.dumps(meta).encode())]
    return write_tar(path, members)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
