"""A token table that starts from what the tokens mean.

Each entry of the vocabulary is embedded by the sentence encoder as a text of its own, and the
table starts at the principal components of these embeddings. A short distillation then begins
with words near their synonyms rather than with noise.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


def principal_components(rows: np.ndarray, width: int) -> np.ndarray:
    """The `width` leading components of rows (n, d), centred, scaled to unit mean square norm."""
    centred = rows.astype(np.float32) - rows.mean(axis=0, dtype=np.float32)
    covariance = centred.T @ centred
    _, vectors = np.linalg.eigh(covariance)
    components = centred @ vectors[:, ::-1][:, :width]
    return components / np.sqrt(np.square(components).sum(axis=1).mean())


def seed_token_table(table: nn.Embedding, embeddings: np.ndarray, *, norm: float = 1.0) -> None:
    """Fill the rows of `table` from embeddings (rows, d) of the tokens' texts, in id order.

    `norm` is the root mean square norm of the rows afterwards.

    Raises `ValueError` when there are not as many embeddings as rows, or they are too narrow.
    """
    if len(embeddings) != table.num_embeddings:
        raise ValueError(f"{len(embeddings)} embeddings for a table of {table.num_embeddings} rows")
    if embeddings.shape[1] < table.embedding_dim:
        raise ValueError(
            f"the encoder's {embeddings.shape[1]} dimensions cannot fill {table.embedding_dim}"
        )
    with torch.no_grad():
        components = principal_components(embeddings, table.embedding_dim)
        table.weight.copy_(torch.from_numpy(norm * components))
