from __future__ import annotations

import io

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.models.folding import fold_batch_norms
from trainer.models.mct import RepMixer, TextRepMixer

END = 199


def small(**changes: object) -> TextRepMixer:
    """A small MCt in eval mode, no part of which is negligible beside another."""
    torch.manual_seed(0)
    options = {
        "context_length": 16,
        "vocab_size": END + 1,
        "width": 32,
        "heads": 4,
        "layers": 2,
        "output_dim": 24,
    }
    model = TextRepMixer(**(options | changes))  # type: ignore[arg-type]
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.3)
                part.running_var.uniform_(0.5, 2)
                part.weight.uniform_(0.5, 1.5)
                part.bias.normal_(0, 0.3)
        for name, parameter in model.named_parameters():
            if "layer_scale" in name:
                parameter.uniform_(0.2, 0.8)
    return model.eval()


def captions(count: int, *, length: int = 16, words: int = 6) -> Tensor:
    ids = torch.zeros(count, length, dtype=torch.int64)
    ids[:, :words] = torch.randint(1, END, (count, words))
    ids[:, words] = END
    return ids


def formula(model: TextRepMixer, ids: Tensor) -> Tensor:
    """The training-time forward pass written down a second time, on (B, C, L) and by hand."""
    state = model.state_dict()

    def norm(x: Tensor, name: str) -> Tensor:
        mean, variance, gain, bias = (
            state[f"{name}.{leaf}"][:, None]
            for leaf in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(variance + 1e-5) * gain + bias

    def conv(x: Tensor, name: str) -> Tensor:
        weight = state[f"{name}.weight"].squeeze(2)
        return F.conv1d(x, weight, padding=5, groups=x.shape[1])

    def pointwise(x: Tensor, name: str) -> Tensor:
        return F.conv1d(x, state[f"{name}.weight"].squeeze(2), state[f"{name}.bias"])

    def rep_mixer_block(x: Tensor, name: str) -> Tensor:
        mixer = f"{name}.token_mixer"
        mixed = norm(conv(x, f"{mixer}.mixer.conv"), f"{mixer}.mixer.bn")
        mixed = mixed + norm(x, f"{mixer}.mixer.skip") - norm(x, f"{mixer}.norm")
        x = x + state[f"{mixer}.layer_scale"][:, 0] * mixed
        hidden = norm(conv(x, f"{name}.convffn.conv.conv"), f"{name}.convffn.conv.bn")
        hidden = F.gelu(pointwise(hidden, f"{name}.convffn.fc1"))
        return x + state[f"{name}.layer_scale"][:, 0] * pointwise(hidden, f"{name}.convffn.fc2")

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def layer_norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])

    def transformer_layer(x: Tensor, name: str, heads: int) -> Tensor:
        parts = linear(layer_norm(x, f"{name}.norm1"), f"{name}.qkv").chunk(3, dim=-1)
        joined = []
        for query, key, value in zip(*(part.chunk(heads, dim=-1) for part in parts), strict=True):
            weights = torch.softmax(query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, dim=-1)
            joined.append(weights @ value)
        x = x + linear(torch.cat(joined, dim=-1), f"{name}.proj")
        hidden = F.gelu(linear(layer_norm(x, f"{name}.norm2"), f"{name}.fc1"))
        return x + linear(hidden, f"{name}.fc2")

    x = state["token_embedding.weight"][ids]
    if "embedding_projection.weight" in state:
        x = x @ state["embedding_projection.weight"].T
    x = x + state["positional_embedding"]
    x = rep_mixer_block(x.mT, "blocks.0").mT
    x = transformer_layer(x, "blocks.1", heads=4)
    x = transformer_layer(x, "blocks.2", heads=4)
    x = rep_mixer_block(x.mT, "blocks.3").mT
    x = layer_norm(x, "final_norm")
    ends = (ids == END).nonzero()[:, 1]
    return (
        torch.stack([row[end] for row, end in zip(x, ends, strict=True)])
        @ (state["text_projection"])
    )


@pytest.mark.parametrize("embed_dim", [None, 8])
def test_forward_is_the_papers_formula(embed_dim: int | None) -> None:
    model = small(embed_dim=embed_dim)
    ids = captions(5)
    ids[0, 9], ids[0, 6] = END, 3  # a caption that ends elsewhere
    with torch.inference_mode():
        torch.testing.assert_close(model(ids), formula(model, ids), rtol=1e-4, atol=1e-5)


def test_default_is_the_text_encoder_of_mobileclip_s0() -> None:
    with torch.device("meta"):
        model = TextRepMixer()
    assert model.token_embedding.weight.shape == (49408, 512)
    assert model.positional_embedding.shape == (77, 512)
    assert model.text_projection.shape == (512, 512)
    mixer = model.blocks[5].token_mixer
    assert isinstance(mixer, RepMixer)
    assert mixer.mixer.conv.weight.shape == (512, 1, 1, 11)
    total = sum(parameter.numel() for parameter in model.parameters())
    assert total == pytest.approx(42.4e6, rel=0.002)
    state = TextRepMixer(vocab_size=8, width=8, heads=1).state_dict()
    for scale in ("blocks.0.layer_scale", "blocks.5.token_mixer.layer_scale"):
        torch.testing.assert_close(state[scale], torch.full((8, 1, 1), 1e-5))


def test_embedding_width_replaces_most_of_the_table() -> None:
    wide, narrow = small(vocab_size=5000), small(vocab_size=5000, embed_dim=8)

    def size(model: nn.Module) -> int:
        return sum(parameter.numel() for parameter in model.parameters())

    assert size(wide) - size(narrow) == 5000 * (32 - 8) - 8 * 32


def test_reparameterised_encoder_equals_the_trained_one() -> None:
    model = small(embed_dim=8)
    ids = captions(7)
    with torch.inference_mode():
        expected = model(ids)
        by_helper = fold_batch_norms(model)(ids)
        model.reparameterize()
        folded = model(ids)
        model.reparameterize()
        torch.testing.assert_close(model(ids), folded, rtol=0, atol=0)
    assert expected.std() > 0.1  # or the tolerance would prove nothing
    torch.testing.assert_close(folded, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(by_helper, expected, rtol=0, atol=1e-5)
    kinds = [type(part) for part in model.modules()]
    assert nn.BatchNorm2d not in kinds
    # One convolution for each RepMixer, three for each feed-forward layer.
    assert kinds.count(nn.Conv2d) == 2 * (1 + 3)


def test_reparameterising_a_model_in_training_uses_the_running_statistics() -> None:
    model = small()
    ids = captions(3)
    with torch.inference_mode():
        expected = model(ids)
        model.train()
        model.reparameterize()
        torch.testing.assert_close(model(ids), expected, rtol=0, atol=1e-5)


def test_padding_is_attended_to() -> None:
    model = small()
    ids = captions(2)
    other = ids.clone()
    other[:, -1] = 7
    shorter = small(context_length=8)
    state = model.state_dict()
    state["positional_embedding"] = state["positional_embedding"][:8]
    shorter.load_state_dict(state)
    with torch.inference_mode():
        full = model(ids)
        assert (full - model(other)).abs().max() > 1e-3
        assert (full - shorter(ids[:, :8])).abs().max() > 1e-3


def test_rows_do_not_depend_on_their_batch() -> None:
    model = small()
    ids = captions(4)
    with torch.inference_mode():
        together = model(ids)
        alone = torch.cat([model(row[None]) for row in ids])
        shuffled = model(ids.flip(0)).flip(0)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(together, shuffled, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 15), (2, 17), (16,), (2, 16, 1)])
def test_rows_of_another_length_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(batch, 16\)"):
        small()(torch.zeros(shape, dtype=torch.int64))


def test_width_must_be_a_multiple_of_heads() -> None:
    with pytest.raises(ValueError, match="width 32 is not a multiple of heads 5"):
        small(heads=5)


def test_training_reaches_every_parameter() -> None:
    model = small(embed_dim=8).train()
    model(captions(6)).square().sum().backward()
    missed = [name for name, value in model.named_parameters() if value.grad is None]
    assert missed == []
    assert all(value.grad.abs().sum() > 0 for value in model.parameters() if value.grad is not None)


@pytest.mark.parametrize("folded", [False, True])
def test_exported_network_takes_any_batch(folded: bool) -> None:
    model = small(embed_dim=8)
    if folded:
        model.reparameterize()
    file = io.BytesIO()
    torch.onnx.export(
        model,
        (captions(2),),
        file,
        input_names=["tokens"],
        output_names=["embedding"],
        dynamic_axes={"tokens": {0: "n"}, "embedding": {0: "n"}},
        dynamo=False,
    )
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    for count in (1, 2, 5):
        ids = captions(count)
        with torch.inference_mode():
            expected = model(ids).numpy()
        (actual,) = session.run(None, {"tokens": ids.numpy()})
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_graph_capture_keeps_the_batch_dynamic() -> None:
    model = small()
    batch = torch.export.Dim("batch")
    captured = torch.export.export(model, (captions(2),), dynamic_shapes=({0: batch},)).module()
    ids = captions(5)
    with torch.inference_mode():
        torch.testing.assert_close(captured(ids), model(ids), rtol=0, atol=1e-5)
