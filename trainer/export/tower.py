"""One tower on its way into a file: folded, made smaller, and what it gives at each step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.export.errors import ExportError
from trainer.export.storage import quantize_embeddings, round_to_float16
from trainer.models.folding import fold_batch_norms

# The largest difference of any component of two unit-norm embeddings that passes for rounding.
TOLERANCE = 1e-4
BATCHES = (1, 3, 32)


@dataclass(frozen=True)
class Tower:
    """A tower to be written.

    folded: float32, in eval mode, its branches and normalisations folded; stored: the same with
    the weights that the ONNX file will hold; expected: unit-norm embeddings (n, dim) of the samples
    by `stored`; cosine: their mean cosine to those of the tower as it was trained; float16: whether
    large weights of `stored` are float16.
    """

    folded: nn.Module
    stored: nn.Module
    expected: NDArray[np.float32]
    cosine: float
    float16: bool


def prepare(
    tower: nn.Module,
    samples: Tensor,
    name: str,
    dim: int | None,
    *,
    float16: bool = False,
    int8_table: bool = False,
) -> Tower:
    """Fold `tower`, which stays as it is, and make its weights as small as asked.

    Raises `ExportError` when it does not give (n, dim), folding changes what it gives, or it has no
    token table to store in int8.
    """
    tower = copy.deepcopy(tower).cpu().float().eval()
    trained = embeddings(tower, samples)
    if trained.shape != (len(samples), dim):
        raise ExportError(
            f"{name} tower: gives {tuple(trained.shape)} for {len(samples)} inputs, "
            f'and embedding_dim is {dim}; make the towers and "embedding_dim" agree'
        )
    folded = fold_batch_norms(tower)
    expected = embeddings(folded, samples)
    if not np.abs(expected - trained).max() < TOLERANCE:
        raise ExportError(
            f"{name} tower: folding its normalisations moves embeddings by "
            f"{np.abs(expected - trained).max():.1e}, and {TOLERANCE:.0e} is allowed"
        )
    stored = folded
    if float16 or int8_table:
        stored = copy.deepcopy(folded)
        if int8_table and not quantize_embeddings(stored):
            raise ExportError(
                f"{name} tower: has no token table; leave embedding_storage at float32"
            )
        if float16:
            round_to_float16(stored)
        expected = embeddings(stored, samples)
    return Tower(folded, stored, expected, mean_cosine(expected, trained), float16)


def embeddings(tower: nn.Module, samples: Tensor) -> NDArray[np.float32]:
    """Unit-norm embeddings (n, dim) of the inputs `samples`."""
    with torch.inference_mode():
        parts = [F.normalize(tower(part).float(), dim=1) for part in torch.split(samples, 16)]
    rows: NDArray[np.float32] = torch.cat(parts).numpy()
    return rows


def mean_cosine(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """The mean cosine of unit-norm rows (n, dim).

    By their distance: the products themselves would lose the change among float32's last digits.
    """
    return float(1 - np.square(np.subtract(ours, theirs, dtype=np.float64)).sum(1).mean() / 2)


def largest_difference(
    expected: NDArray[np.float32], encode: Callable[[slice], NDArray[np.float32]]
) -> float:
    """The largest of any component, over batches of `BATCHES` rows, each encoded as one batch."""
    worst, start = 0.0, 0
    for count in BATCHES:
        part = slice(start, start + count)
        # Of numpy's, since Python's max() would pass over NaN.
        worst = float(np.maximum(worst, np.abs(encode(part) - expected[part]).max()))
        start += count
    return worst
