"""A text encoder's embeddings of a whole corpus, on disk, filled in resumable chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.lib.format import open_memmap
from tqdm import tqdm

_CHUNK = 8192


class TextEncoder(Protocol):
    """Texts to unit vectors (n, d). `digest` changes whenever they would."""

    def __call__(self, texts: Sequence[str]) -> np.ndarray: ...

    def digest(self) -> str: ...


def cached_embeddings(
    texts: Sequence[str], path: Path, encoder: TextEncoder | None = None
) -> np.ndarray:
    """Embeddings float16 (n, d) of `texts`, memory-mapped from `path`.

    Missing rows are computed chunk by chunk with `encoder`; a run that was cut off goes on where
    it stopped. The cache remembers which texts it is for and which encoder filled it, and starts
    again for others. Raises `ValueError` when rows are missing and no encoder is given.
    """
    stamp = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    state = path.with_suffix(".progress")
    maker = None if encoder is None else encoder.digest()
    done = _rows_done(path, state, stamp, maker)
    if done == len(texts):
        return np.load(path, mmap_mode="r")
    if encoder is None:
        raise ValueError(
            f"{path}: holds {done or 0} of {len(texts)} embeddings, and no encoder is given"
        )
    if done:
        table = open_memmap(path, mode="r+")
    else:
        done, dim = 0, encoder(["width"]).shape[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        # First of all, or a run cut off here would leave the old progress beside an empty table.
        _record(state, f"{stamp} 0 {maker}")
        table = open_memmap(path, mode="w+", dtype=np.float16, shape=(len(texts), dim))
    with tqdm(total=len(texts), initial=done, desc=path.stem, unit="text") as bar:
        for start in range(done, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            table[start : start + len(chunk)] = encoder(chunk)
            table.flush()
            _record(state, f"{stamp} {start + len(chunk)} {maker}")
            bar.update(len(chunk))
    return np.load(path, mmap_mode="r")


def _record(state: Path, line: str) -> None:
    """Never half a line: a run that is cut off here must find the line of the chunk before."""
    beside = state.with_suffix(".progress.part")
    beside.write_text(line)
    beside.replace(state)


def _rows_done(path: Path, state: Path, stamp: str, maker: str | None) -> int | None:
    """How many rows of `path` are those of these texts; None when it is of no use for them."""
    if not (state.is_file() and path.is_file()):
        return None
    fields = state.read_text().split()
    if len(fields) < 2:
        return None
    known, rows, *by = fields
    # Older files do not say which encoder filled them.
    other = maker is not None and by not in ([], [maker])
    return int(rows) if known == stamp and not other else None
