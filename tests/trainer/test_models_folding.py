from __future__ import annotations

import pytest
import torch
from optional import module
from torch import Tensor, nn

from trainer.models.folding import fold_batch_norms
from trainer.torchvision_ops import ensure_torchvision

ensure_torchvision()
timm = module("timm")


def randomise(module: nn.Module) -> None:
    """Give every normalisation and layer scale values under which no branch is negligible."""
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.2, generator=source)
                part.running_var.uniform_(0.5, 1.5, generator=source)
                part.weight.uniform_(0.5, 1.5, generator=source)
                part.bias.normal_(0, 0.2, generator=source)
        for name, parameter in module.named_parameters():
            if "layer_scale" in name:
                parameter.uniform_(0.1, 0.5, generator=source)


def outputs(module: nn.Module, size: int) -> Tensor:
    kind = next(module.parameters()).dtype
    pixels = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(2), dtype=kind)
    with torch.inference_mode():
        return module(pixels)


@pytest.mark.parametrize(
    ("tower", "options", "size", "left"),
    [
        ("fastvit_mci0", {}, 64, 2),
        ("vit_base_mci_224", {"depth": 1}, 224, 0),
        ("mobilenetv2_100", {"pad_type": "same"}, 64, 0),
        ("mobilenetv4_conv_small", {}, 64, 0),
        ("efficientnet_b0", {}, 64, 0),
    ],
)
@pytest.mark.slow
def test_folded_tower_equals_the_trained_one(
    tower: str, options: dict[str, object], size: int, left: int
) -> None:
    torch.manual_seed(0)
    # In float64 nothing hides behind rounding, which random weights amplify from layer to layer.
    model = timm.create_model(tower, num_classes=64, **options).double()
    randomise(model)
    folded = fold_batch_norms(model)
    expected = outputs(model.eval(), size)
    difference = (outputs(folded, size) - expected).abs().max()
    assert difference < 1e-10 * expected.std()
    norms = [name for name, part in folded.named_modules() if isinstance(part, nn.BatchNorm2d)]
    assert len(norms) == left, norms
    assert all(name.endswith(("blocks.0.norm", "blocks.1.norm")) for name in norms)


@pytest.mark.slow
def test_folding_in_float32_costs_no_more_than_rounding() -> None:
    torch.manual_seed(0)
    model = timm.create_model("fastvit_mci0", num_classes=64)
    randomise(model)
    folded = fold_batch_norms(model)
    torch.testing.assert_close(outputs(folded, 64), outputs(model.eval(), 64), rtol=0, atol=1e-6)


def test_the_given_module_stays_trainable() -> None:
    model = timm.create_model("fastvit_t8", num_classes=8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    folded = fold_batch_norms(model)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not folded.training
    assert not any(parameter.requires_grad for parameter in folded.parameters())


def test_a_pair_at_the_root_is_folded_with_its_activation() -> None:
    pair = timm.layers.ConvNormAct(3, 5, kernel_size=3, act_layer=nn.SiLU)
    randomise(pair)
    folded = fold_batch_norms(pair)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in folded.modules())
    expected = outputs(pair.eval(), 8)
    assert not torch.allclose(expected, outputs(nn.Sequential(pair.conv, pair.bn.act), 8))
    torch.testing.assert_close(outputs(folded, 8), expected, rtol=0, atol=1e-6)
