"""What fine-tuning starts from, and how a bundle is made of what comes of it."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import torch
from torch import Tensor

from photosearch.encoders import Bundle, Encoder, open_encoder, write_manifest
from photosearch.encoders.calibration import BACKGROUND
from trainer.evaluate.towers import Towers
from trainer.export import export_bundle
from trainer.export.facts import facts_of
from trainer.export.place import in_place
from trainer.models.checkpoints import load_into
from trainer.models.config import ModelConfig, config_of, load_config
from trainer.models.family import Clip, build_from
from trainer.models.graph_tower import GraphTower, sentence_state
from trainer.models.sentence_tower import SentenceTower
from trainer.models.state import read_state
from trainer.models.tokens import tokenizer_file
from trainer.train.processes import device_of

# The architecture of the bundled model.
BUNDLED = "MobileCLIP-Small"


class Start(Protocol):
    """A model that can learn on, before and after."""

    model: Clip
    config: ModelConfig
    frozen: tuple[str, ...]
    """Prefixes of the parameters that should not learn from few photos."""

    @property
    def licence(self) -> str:
        """That of the weights."""

    @property
    def name(self) -> str:
        """What it is, for people and for going on only with the same."""

    def encoder(self) -> AbstractContextManager[Encoder]:
        """It as it is, to be measured inside."""

    def write(self, out: Path, fields: Mapping[str, Any], card: str) -> None:
        """The bundle `out` of what `model` is by now; one that is there is replaced."""


@dataclass
class FromBundle:
    """A bundle of the bundled model's kind; its text network stays as it is."""

    bundle: Bundle
    model: Clip
    config: ModelConfig
    weights: Path | None = None
    frozen: tuple[str, ...] = ("text.", "visual.classifiers.", "logit_scale")

    @property
    def licence(self) -> str:
        return str(self.bundle.manifest["licence"])

    @cached_property
    def name(self) -> str:
        return self.bundle.id + ("" if self.weights is None else f" ({_named(self.weights)})")

    @contextmanager
    def encoder(self) -> Iterator[Encoder]:
        if self.weights is None:
            yield open_encoder(self.bundle.folder)
            return
        with TemporaryDirectory() as place:
            self.write(Path(place) / "bundle", {}, "")
            yield open_encoder(Path(place) / "bundle")

    def write(self, out: Path, fields: Mapping[str, Any], card: str) -> None:
        tower = self.model.visual
        assert isinstance(tower, GraphTower)
        with in_place(out, replace=True) as folder:
            for name in self.bundle.manifest["files"]:
                # Vectors of photos by the old network say nothing of the new one.
                if name not in ("image.onnx", BACKGROUND):
                    shutil.copy2(self.bundle.folder / name, folder / name)
            tower.write(self.bundle.folder / "image.onnx", folder / "image.onnx")
            (folder / "README.md").write_text(card, encoding="utf-8")
            write_manifest(folder, self.bundle.fields | {"calibration": None} | dict(fields))


@dataclass
class FromWeights:
    """Weights of a model of the family, in the layout of open_clip, of Apple, or ours."""

    file: Path
    model: Clip
    config: ModelConfig
    said: str
    frozen: tuple[str, ...] = ()

    @property
    def licence(self) -> str:
        return self.said

    @cached_property
    def name(self) -> str:
        return f"{self.config.name} ({_named(self.file)})"

    @contextmanager
    def encoder(self) -> Iterator[Encoder]:
        model = build_from(self.config)
        load_into(model, self.file)
        yield Towers(model, self.config, device_of("auto"), self.name)

    def write(self, out: Path, fields: Mapping[str, Any], card: str) -> None:
        scale = float(self.model.logit_scale.detach().exp())
        whole = facts_of(self.config) | {"logit_scale": scale, "calibration": None}
        export_bundle(
            self.model.visual,
            self.model.text,
            out,
            fields=whole | dict(fields),
            card=card,
            tokenizer=tokenizer_file(self.config.text),
            embedding_storage="int8",
            replace=True,
        )


def from_bundle(folder: Path, weights: Path | None = None) -> FromBundle:
    """The model in a bundle, perhaps with other weights, from `trainable_state`.

    Raises `ValueError` or `BundleError` when it is no bundle of the bundled model's kind.
    """
    bundle = Bundle.open(folder)
    kind = bundle.manifest["architecture"]
    if kind != BUNDLED:
        raise ValueError(
            f"{folder}: is a {kind}; only bundles of a {BUNDLED} learn on as they are. Give the "
            "weights that it was made from, by --model and --weights"
        )
    config = load_config(BUNDLED)
    text = SentenceTower()
    model = Clip(GraphTower(folder / "image.onnx"), text)
    text.load_state_dict(sentence_state(folder / "text.onnx"))
    with torch.no_grad():
        model.logit_scale.fill_(math.log(float(bundle.manifest["logit_scale"])))
    if weights is not None:
        state = read_state(weights)
        _check_kept(bundle, model, state, weights)
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(f"{weights}: not the weights of {bundle.id}: {reason}") from None
    return FromBundle(bundle, model, config, weights)


def _check_kept(bundle: Bundle, model: Clip, state: Mapping[str, Tensor], weights: Path) -> None:
    """Raises `ValueError` where weights are others than what a new bundle takes over as it is."""
    written = {
        f"visual.{name}" for name, one in model.visual.named_parameters() if one.requires_grad
    }
    others = [
        name
        for name, kept in model.state_dict().items()
        if name not in written
        and name in state
        and kept.shape == state[name].shape
        and not torch.equal(kept, state[name].to(kept.dtype))
    ]
    if others:
        raise ValueError(
            f"{weights}: {len(others)} tensors, {others[0]} first, are not those of {bundle.id}, "
            "and a new bundle takes these from there; give the weights that `weights` wrote of "
            "that bundle, in which only the image tower's learnable part is changed"
        )


def _named(file: Path) -> str:
    """A file of weights, by name and content, so that no run goes on from another's."""
    with file.open("rb") as opened:
        return f"{file.name}, SHA-256 {hashlib.file_digest(opened, 'sha256').hexdigest()[:16]}"


def from_weights(name: str, file: Path, licence: str) -> FromWeights:
    """The weights in `file` of the model called `name`. Raises `ValueError`."""
    config = config_of(name)
    model = build_from(config)
    load_into(model, file)
    return FromWeights(file, model, config, licence)


def trainable_state(folder: Path) -> dict[str, Tensor]:
    """All weights of a bundle of the bundled model's kind, as float32, by the names in its graphs.

    Raises as `from_bundle`.
    """
    return dict(from_bundle(folder).model.state_dict())
