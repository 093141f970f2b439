"""The sentence encoder's embeddings of a whole corpus, on disk, filled in resumable chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

from trainer.teachers.sentence import SentenceEncoder

_CHUNK = 8192


def cached_embeddings(
    texts: Sequence[str], path: Path, encoder: SentenceEncoder | None = None
) -> np.ndarray:
    """Embeddings float16 (n, d) of `texts`, memory-mapped from `path`.

    Missing rows are computed chunk by chunk with `encoder`; a run that was cut off goes on where
    it stopped. The cache remembers which texts it is for, and starts again for others.
    """
    stamp = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    state = path.with_suffix(".progress")
    done = 0
    if state.is_file() and path.is_file():
        known, _, rows = state.read_text().partition(" ")
        done = int(rows) if known == stamp else 0
    if done == len(texts):
        return np.load(path, mmap_mode="r")
    if encoder is None:
        raise ValueError(
            f"{path}: holds {done} of {len(texts)} embeddings, and no encoder is given"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if done:
        table = open_memmap(path, mode="r+")
    else:
        dim = encoder(["width"]).shape[1]
        table = open_memmap(path, mode="w+", dtype=np.float16, shape=(len(texts), dim))
    with tqdm(total=len(texts), initial=done, desc=path.stem, unit="text") as bar:
        for start in range(done, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            table[start : start + len(chunk)] = encoder(chunk)
            table.flush()
            state.write_text(f"{stamp} {start + len(chunk)}")
            bar.update(len(chunk))
    return np.load(path, mmap_mode="r")
