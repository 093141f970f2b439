"""An image tower that keeps what its classifiers know: features for a head, and their classes.

Pooled features of one or more ImageNet classifiers go through a head into the space of the texts.
Beside it runs a branch of concepts: the classifiers' own last layers say which classes a photo
shows, and the classes' places in that space, mixed by their probabilities (ConSE, Norouzi et al.
2014, arXiv 1312.5650, equation 1), are added before the sum is normalised. So what a classifier
names stays findable, and captions place the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.teachers.head import Head
from trainer.torchvision_ops import ensure_torchvision


class ConceptImageTower(nn.Module):
    """timm classifiers side by side, a head on their features, and a branch of concepts.

    Maps float images (n, 3, S, S), normalised, to unit-norm embeddings (n, dim):
    `normalise(head(f) + share * normalise(p C))` with pooled features f of all classifiers, the
    mean p of their class probabilities, and the concepts C (classes, dim).

    `share` and `concepts` are parameters, and all of it can be trained.
    """

    def __init__(
        self, classifiers: Sequence[str], *, dim: int, hidden: int, share: float = 0.5
    ) -> None:
        super().__init__()
        self.classifiers = nn.ModuleList(_classifier(name) for name in classifiers)
        networks: list[Any] = list(self.classifiers)
        classes = {int(one.num_classes) for one in networks}
        if len(classes) != 1:
            raise ValueError(f"{', '.join(classifiers)}: classifiers of different classes")
        self.classes = classes.pop()
        self.feature_dim = sum(int(one.num_features) for one in networks)
        self.head = Head(self.feature_dim, dim, hidden)
        self.concepts = nn.Parameter(torch.zeros(self.classes, dim))
        self.share = nn.Parameter(torch.tensor(share))

    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Pooled features (n, feature_dim) and class probabilities (n, classes)."""
        features, probabilities = [], []
        for one in self.classifiers:
            network: Any = one
            pooled = network.global_pool(network.forward_features(images))
            features.append(pooled)
            probabilities.append(F.softmax(network.classifier(pooled), dim=1))
        return torch.cat(features, 1), torch.stack(probabilities).mean(0)

    def place(self, features: Tensor, probabilities: Tensor) -> Tensor:
        """Unit-norm embeddings (n, dim) of what `look` has seen."""
        mixture = F.normalize(probabilities @ self.concepts, dim=1)
        return F.normalize(self.head(features, mixture) + self.share * mixture, dim=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.place(*self.look(images))


def _classifier(name: str) -> nn.Module:
    ensure_torchvision()
    import timm

    network: nn.Module = timm.create_model(name, pretrained=False)
    for part in ("forward_features", "global_pool", "classifier", "num_features"):
        if not hasattr(network, part):
            raise ValueError(f"{name}: not one of timm's EfficientNets or MobileNets")
    return network


class Sight(nn.Module):
    """What a tower's classifiers see, as one output: (n, feature_dim + classes)."""

    def __init__(self, tower: ConceptImageTower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(self.tower.look(images), 1)


def load_classifier(network: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load weights of the same architecture, by their names or, where these differ, by their order.

    TensorFlow's EfficientNet-Lite weights come for PyTorch under names of another implementation
    (`_blocks.0._depthwise_conv.weight`); timm's hold the same tensors in the same order.

    Raises `ValueError` when number, kinds or shapes of the tensors differ.
    """
    wanted = network.state_dict()
    if len(wanted) != len(state):
        raise ValueError(f"{source}: {len(state)} tensors, and this network has {len(wanted)}")
    if state.keys() == wanted.keys():
        network.load_state_dict(state)
        return
    renamed = {}
    for ours, theirs in zip(wanted, state, strict=True):
        same_kind = ours.rpartition(".")[2] == theirs.rpartition(".")[2]
        if not same_kind or wanted[ours].shape != state[theirs].shape:
            raise ValueError(
                f"{source}: {theirs} {tuple(state[theirs].shape)} where this network has "
                f"{ours} {tuple(wanted[ours].shape)}"
            )
        renamed[ours] = state[theirs]
    network.load_state_dict(renamed)
