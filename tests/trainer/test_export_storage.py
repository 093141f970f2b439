"""Weights made smaller: how far from the originals, and what is left alone."""

from __future__ import annotations

import torch
from torch import nn

from trainer.export.storage import QuantizedEmbedding, quantize_embeddings, round_to_float16


def test_each_row_is_within_half_a_step_of_its_own_scale():
    torch.manual_seed(0)
    # Rows of very different size: one scale for all would lose the small ones.
    embedding = nn.Embedding(50, 16)
    with torch.no_grad():
        embedding.weight.mul_(torch.logspace(-6, 2, 50)[:, None])
    ids = torch.arange(50).reshape(5, 10)
    ours, theirs = QuantizedEmbedding(embedding)(ids), embedding(ids)
    assert ours.shape == (5, 10, 16)
    assert ours.dtype == torch.float32
    step = theirs.abs().amax(-1, keepdim=True) / 127
    assert ((ours - theirs).abs() <= step * 0.501).all()


def test_a_row_of_zeros_stays_zero():
    embedding = nn.Embedding(3, 4, padding_idx=0)
    assert (QuantizedEmbedding(embedding)(torch.tensor([0])) == 0).all()


def test_only_token_tables_are_replaced():
    module = nn.ModuleDict(
        {"tokens": nn.Embedding(2000, 4), "inner": nn.Sequential(nn.Embedding(77, 4))}
    )
    assert quantize_embeddings(module) == 1
    assert isinstance(module["tokens"], QuantizedEmbedding)
    assert module["tokens"].table.dtype == torch.int8
    assert isinstance(module["inner"][0], nn.Embedding)


def test_matrices_are_rounded_and_small_or_flat_parameters_kept():
    torch.manual_seed(0)
    module = nn.ModuleDict(
        {
            "conv": nn.Conv2d(32, 64, 3),
            "small": nn.Linear(8, 8),
            "norm": nn.LayerNorm(2048),
        }
    )
    with torch.no_grad():
        module["norm"].weight.fill_(1e-5)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    round_to_float16(module)
    for name, value in module.state_dict().items():
        expected = before[name].half().float() if name == "conv.weight" else before[name]
        assert torch.equal(value, expected), name
    assert not torch.equal(before["conv.weight"], module["conv"].weight)
