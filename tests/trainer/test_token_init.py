"""The token table starts as the principal components of what the tokens mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from trainer.models.token_init import principal_components, seed_token_table

GROUPS, WORDS, DIM = 12, 10, 32


@pytest.fixture
def meanings() -> np.ndarray:
    """Groups of synonyms: float16 (120, 32), unit norm, far from centred as real embeddings are."""
    random = np.random.default_rng(0)
    middles = random.normal(size=(GROUPS, 1, DIM)) + 2 * random.normal(size=DIM)
    words = (middles + 0.3 * random.normal(size=(GROUPS, WORDS, DIM))).reshape(-1, DIM)
    return np.asarray(words / np.linalg.norm(words, axis=1, keepdims=True), np.float16)


def distances(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(rows[:, None] - rows[None], axis=2))


def test_at_full_width_all_distances_are_kept(meanings: np.ndarray) -> None:
    table = nn.Embedding(len(meanings), DIM)
    seed_token_table(table, meanings)
    before, after = distances(meanings.astype(np.float32)), distances(table.weight.detach().numpy())
    ratio = after.sum() / before.sum()
    np.testing.assert_allclose(after, ratio * before, atol=1e-4)


def test_a_narrow_table_keeps_synonyms_together(meanings: np.ndarray) -> None:
    table = nn.Embedding(len(meanings), 8)
    seed_token_table(table, meanings)
    apart = distances(table.weight.detach().numpy()) + np.diag(np.full(len(meanings), np.inf))
    nearest = apart.argmin(axis=1)
    assert (nearest // WORDS == np.arange(len(meanings)) // WORDS).mean() > 0.95
    by_chance = distances(np.random.default_rng(1).normal(size=(len(meanings), 8)))
    nearest = (by_chance + np.diag(np.full(len(meanings), np.inf))).argmin(axis=1)
    assert (nearest // WORDS == np.arange(len(meanings)) // WORDS).mean() < 0.3


@pytest.mark.parametrize("width", [1, 8, DIM])
def test_components_hold_the_most_that_their_width_can(meanings: np.ndarray, width: int) -> None:
    """Eckart and Young: the best rows of this width have the largest singular values."""
    centred = meanings.astype(np.float64) - meanings.mean(axis=0, dtype=np.float64)
    best = np.linalg.svd(centred, compute_uv=False)[:width]
    components = principal_components(meanings, width)
    assert components.shape == (len(meanings), width)
    found = np.linalg.svd(components.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(found / found[0], best / best[0], atol=2e-3)
    # Uncorrelated, the strongest first.
    np.testing.assert_allclose(np.linalg.norm(components, axis=0), found, atol=1e-3)


@pytest.mark.parametrize("norm", [1.0, 0.25])
def test_rows_have_the_norm_asked_for(meanings: np.ndarray, norm: float) -> None:
    table = nn.Embedding(len(meanings), 16)
    seed_token_table(table, meanings, norm=norm)
    weight = table.weight.detach()
    assert weight.dtype == torch.float32
    assert table.weight.requires_grad
    assert float(weight.square().sum(1).mean().sqrt()) == pytest.approx(norm, rel=1e-4)
    assert float(weight.mean(0).abs().max()) < 1e-3 * norm


def test_embeddings_that_do_not_fit(meanings: np.ndarray) -> None:
    table = nn.Embedding(len(meanings) + 1, 8)
    before = table.weight.detach().clone()
    with pytest.raises(ValueError, match="120 embeddings for a table of 121 rows"):
        seed_token_table(table, meanings)
    assert torch.equal(table.weight, before)
    with pytest.raises(ValueError, match="encoder's 32 dimensions cannot fill 33"):
        seed_token_table(nn.Embedding(len(meanings), DIM + 1), meanings)
