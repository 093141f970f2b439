"""A model tried on a few pictures and words, before a library is given to it.

In a process of its own: a network may take all memory, never end, or end its process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photosearch.capacity import LEAST, total_memory
from photosearch.encoders import Bundle, Encoder, open_encoder
from photosearch.errors import BundleError
from photosearch.indexing.limits import limit_memory
from photosearch.indexing.workers import without_main
from photosearch.settings import Settings

# What the largest models that are offered take to load from a slow disk, and more.
SECONDS = 180.0
# Of all memory, what searching may take at most.
_SHARE = 0.75
# How far from 1 the length of a vector may be, and how alike those of different things.
_OFF, _SAME = 0.01, 0.9999
_SIDE = 96
_COLOURS = {
    "red": (220, 20, 20),
    "green": (20, 160, 40),
    "blue": (20, 40, 220),
}
# Models that have passed in this process, by their id, which tells their bytes.
_passed: set[str] = set()


def try_model(folder: Path, settings: Settings) -> None:
    """Encode plain pictures and words by the bundle in `folder`, within limits.

    Raises `BundleError` with the reason where nothing could be found by it: it does not run or end,
    or its vectors are not finite, not of length 1, or the same for different things. Of a model
    that knows which of its cosines mean something, a plain colour must also fit its name; one that
    does not say so may be anything, as one with random weights.
    """
    bundle = Bundle.open(folder)
    if bundle.id in _passed:
        return
    memory = max(LEAST, int(total_memory() * _SHARE))
    fault = _tried(folder, settings, memory)
    if fault is not None:
        raise BundleError(f"{bundle.id}: cannot be used: it {fault}; nothing was changed")
    _passed.add(bundle.id)


def _tried(folder: Path, settings: Settings, memory: int) -> str | None:
    """What is wrong with it, None for nothing."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_try, args=(theirs, folder, settings, memory), daemon=True)
    with ours:
        with without_main():
            process.start()
        theirs.close()
        try:
            if not ours.poll(SECONDS):
                return f"gave no vectors within {SECONDS:.3g} s"
            fault: str | None = ours.recv()
            return fault
        except (EOFError, OSError):
            return f"ended its process; it may need more than {memory / 1e9:.3g} GB of memory"
        finally:
            process.kill()
            process.join()
            process.close()


def _try(pipe: Connection, folder: Path, settings: Settings, memory: int) -> None:
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # ONNX Runtime prints what it also raises.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    limit_memory(memory)
    try:
        fault = fault_of(open_encoder(folder, settings))
    except BundleError as error:
        fault = f"does not run ({error})"
    # Whatever the network made ONNX Runtime trip over.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        fault = f"does not run ({reason[:300]})"
        if isinstance(error, MemoryError) or "alloc" in reason:
            fault = f"needs more than {memory / 1e9:.3g} GB of memory"
    pipe.send(fault)


def fault_of(encoder: Encoder) -> str | None:
    """Why nothing could be found by the vectors of `encoder`; None where that is not so."""
    from PIL import Image

    squares = [Image.new("RGB", (_SIDE, _SIDE), colour) for colour in _COLOURS.values()]
    pictures = encoder.encode_images(squares)
    words = encoder.encode_texts(list(_COLOURS))
    for what, vectors in (("pictures", pictures), ("texts", words)):
        if (fault := _of_vectors(vectors, encoder.dim)) is not None:
            return f"gives {what} {fault}"
    speaks = encoder.languages is None or "en" in encoder.languages
    if encoder.calibration is not None and speaks:
        fits = pictures @ words.T
        own, others = np.eye(len(fits), dtype=bool), ~np.eye(len(fits), dtype=bool)
        if fits[own].mean() <= fits[others].mean():
            return "takes plain colours for others than their names say"
    return None


def _of_vectors(vectors: NDArray[np.float32], dim: int) -> str | None:
    if vectors.shape != (len(_COLOURS), dim):
        return f"vectors of another length than the {dim} numbers it says"
    if not np.isfinite(vectors).all():
        return "vectors that are not finite"
    if (np.abs(np.linalg.norm(vectors, axis=1) - 1) > _OFF).any():
        return "vectors that are not of length 1"
    if (vectors @ vectors.T).min() > _SAME:
        return "the same vector, whatever they are"
    return None
