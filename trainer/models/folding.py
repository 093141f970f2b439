"""Fold a trained tower's batch normalisations and branches into plain convolutions, for inference.

timm's own `reparameterize_model` folds RepMixer, MobileOne and large-kernel blocks but leaves the
convolution and normalisation pairs of FastViT's feed-forward layers (20 in `fastvit_mci0`), of
convolutional stems and of the MobileNet and EfficientNet families; these are folded here too. What
remains is a normalisation that no convolution comes before, such as the one at the entrance of an
attention block.
"""

from __future__ import annotations

import copy
import itertools

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from trainer.torchvision_ops import ensure_torchvision


def fold_batch_norms(module: nn.Module) -> nn.Module:
    """A copy of `module`, in eval mode and without gradients, that computes the same with less.

    `module` itself stays as it is. The copy equals it in eval mode up to float rounding; it can
    neither be trained, nor be given a training checkpoint, nor be folded again.
    """
    ensure_torchvision()
    from timm.utils import reparameterize_model  # type: ignore[attr-defined]

    # timm converts the children of what it is given, so the holder makes `module` itself a child.
    holder = nn.Sequential(copy.deepcopy(module)).eval()
    reparameterize_model(holder, inplace=True)
    for part in list(holder.modules()):
        _fold_pairs(part)
    folded: nn.Module = holder[0]
    return folded.requires_grad_(False)


def _fold_pairs(parent: nn.Module) -> None:
    """Fold each convolution of `parent` whose next sibling normalises its output."""
    from timm.layers import BatchNormAct2d  # type: ignore[attr-defined]

    if not isinstance(parent, _ordered_types()):
        return
    for (conv_name, conv), (bn_name, bn) in itertools.pairwise(list(parent.named_children())):
        if not (isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d)):
            continue
        setattr(parent, conv_name, fuse_conv_bn_eval(conv, bn))
        # timm's normalisation layer also holds the activation; its dropout is nothing in eval mode.
        rest = bn.act if isinstance(bn, BatchNormAct2d) else nn.Identity()
        setattr(parent, bn_name, rest)


def _ordered_types() -> tuple[type[nn.Module], ...]:
    """The modules known to register a convolution and its normalisation next to each other."""
    from timm.layers import ConvNormAct  # type: ignore[attr-defined]
    from timm.models import _efficientnet_blocks as blocks
    from timm.models.efficientnet import EfficientNet
    from timm.models.mobilenetv3 import MobileNetV3

    return (
        nn.Sequential,
        ConvNormAct,
        blocks.ConvBnAct,
        blocks.DepthwiseSeparableConv,
        blocks.EdgeResidual,
        blocks.InvertedResidual,
        EfficientNet,
        MobileNetV3,
    )
