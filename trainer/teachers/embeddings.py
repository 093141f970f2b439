"""The teacher's embedding of every stored view of every photo of a tar, on disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from trainer.teachers.bootstrap import BootstrapTeacher
from trainer.teachers.features import ViewFeatures


def write_embeddings(teacher: BootstrapTeacher, features: Path, folder: Path) -> Path:
    """Embed the cached `features` file; returns the file written under `folder`.

    It holds keys (n,), views float32 (n, 6) and embeddings float16 (n, d), unit norm.
    """
    cached = ViewFeatures.load(features)
    embeddings = teacher.embed(cached.features, cached.probabilities)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / features.name
    beside = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez(
        beside,
        keys=np.asarray(cached.keys),
        views=cached.views,
        embeddings=embeddings.astype(np.float16),
    )
    beside.replace(path)
    return path
