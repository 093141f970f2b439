"""A model of the family's form that is exported in a few seconds: Nano-Small."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from trainer.models import config as configs
from trainer.models.family import Clip, build

NAME = "Nano-Small"


def write_model(folder: Path) -> Clip:
    """Write its configuration and, in image.pt and text.pt, random weights, which it returns."""
    nano = configs.load_config("MobileCLIP-Nano")
    # Without a hidden layer the tower may be any of timm's, and this one is made for tests.
    image = {"tower": "test_resnet", "size": 32, "hidden": None}
    small = {
        "source": nano.source,
        "dim": 24,
        "image": dataclasses.asdict(nano.image) | image,
        "text": dataclasses.asdict(nano.text) | {"width": 16, "heads": 2, "layers": 1},
    }
    (folder / "configs").mkdir()
    (folder / "configs" / f"{NAME}.json").write_text(json.dumps(small))
    torch.manual_seed(0)
    with known_model(folder):
        model = build(NAME)
    torch.save(model.visual.state_dict(), folder / "image.pt")
    torch.save(model.text.state_dict(), folder / "text.pt")
    return model


@contextmanager
def known_model(folder: Path) -> Iterator[None]:
    """The model written to `folder` is the only one that there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configs, "_FOLDER", folder / "configs")
        yield
