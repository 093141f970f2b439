"""The teacher's embedding of every stored view of every photo of a tar, on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

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


def read_embeddings(
    path: Path, keys: Sequence[str], source: str | Path
) -> tuple[np.ndarray, np.ndarray]:
    """Views float32 (n, 6) and embeddings float16 (n, d) that `write_embeddings` stored.

    Raises `ValueError` when `path` is missing, damaged, or not of the photos `keys` of `source`.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            known, views, embeddings = (stored[n] for n in ("keys", "views", "embeddings"))
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; run `embed` on the photos of {source}") from None
    except (ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ValueError(f"{path}: not a file of embeddings ({error})") from None
    if known.tolist() != list(keys):
        raise ValueError(f"{path}: holds other photos than {source}")
    return views, embeddings
