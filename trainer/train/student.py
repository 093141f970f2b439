"""The student: built, given its first weights, and frozen in part, as a recipe says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trainer.models.checkpoints import load_into
from trainer.models.config import ModelConfig, config_of
from trainer.models.family import Clip, build_from
from trainer.models.nano_image import NanoImageTower
from trainer.models.sentence_tower import SentenceTower, load_sentence_encoder
from trainer.models.state import read_state
from trainer.models.warm_start import warm_start
from trainer.train.recipe import Recipe


def student_config(recipe: Recipe) -> ModelConfig:
    """The model's configuration, with the recipe's image size."""
    return config_of(recipe.model.name, recipe.data.image_size)


def build_student(recipe: Recipe) -> Clip:
    """The model with random weights drawn from the run's seed, frozen where the recipe says.

    Raises `ValueError` naming the recipe and the key that does not fit the model.
    """
    torch.manual_seed(recipe.run.seed)
    model = build_from(student_config(recipe))
    if recipe.loss.contrastive == "sigmoid":
        model.begin_sigmoid()
    freeze(model, recipe)
    if recipe.run.gradient_checkpointing:
        _checkpoint_gradients(model, recipe.origin)
    return model


def freeze(model: Clip, recipe: Recipe) -> None:
    """Let no parameter learn that the recipe freezes.

    Raises `ValueError` naming the recipe and the key that does not fit the model.
    """
    settings = recipe.model
    for key, prefixes in (
        ("freeze", settings.freeze),
        ("freeze_batch_norm", settings.freeze_batch_norm),
    ):
        names = [name for name, _ in model.named_parameters()]
        for prefix in prefixes:
            if not any(name.startswith(prefix) for name in names):
                raise ValueError(
                    f"{recipe.origin}: [model] {key}: no parameter of {settings.name} has a name "
                    f"that begins with {prefix!r}"
                )
    for name, parameter in model.named_parameters():
        if name.startswith(settings.freeze):
            parameter.requires_grad_(False)


def load_first_weights(model: Clip, recipe: Recipe) -> None:
    """Read the files that the recipe starts from, if any.

    Raises `ValueError` naming the file that does not hold weights for its part of the model, or the
    key of a tower that shall not learn and has none.
    """
    settings = recipe.model
    for tower_name, given in (("visual.", settings.image_init), ("text.", settings.text_init)):
        locked = tower_name.startswith(settings.freeze) if settings.freeze else False
        if locked and given is None and settings.init is None:
            key = "image_init" if tower_name == "visual." else "text_init"
            raise ValueError(
                f"{recipe.origin}: [model] {key}: missing, and {tower_name} is frozen: it would "
                "stay as random as it starts; give its weights, or those of the whole as init"
            )
    if settings.init is not None:
        load_into(model, Path(settings.init))
        if recipe.loss.contrastive == "softmax":
            model.logit_bias = None
        elif model.logit_bias is None:
            # What a softmax has learned is no scale of a sigmoid.
            model.begin_sigmoid()
    for tower, prefix, path in (
        (model.visual, "visual.", settings.image_init),
        (model.text, "text.", settings.text_init),
    ):
        if path is not None:
            _load_tower(tower, prefix, Path(path))
    if settings.projection_init is not None:
        _load_projection(model.visual, Path(settings.projection_init))


def train_mode(model: Clip, recipe: Recipe) -> None:
    """Put the model into training mode, but for the modules and statistics that are frozen."""
    model.train()
    settings = recipe.model
    for name, module in model.named_modules():
        path = f"{name}."
        statistics = isinstance(module, _BatchNorm) and path.startswith(settings.freeze_batch_norm)
        if path.startswith(settings.freeze) or statistics:
            # Not eval(), which would go on to the modules inside.
            module.training = False


def is_classifier(path: Path) -> bool:
    """Whether these first weights are a classifier's, for the backbone of an image tower alone."""
    return path.suffix == ".tflite"


def _load_tower(tower: nn.Module, prefix: str, path: Path) -> None:
    if is_classifier(path):
        if not isinstance(tower, NanoImageTower):
            raise ValueError(f"{path}: only the image tower of MobileCLIP-Nano starts from .tflite")
        warm_start(tower.backbone, path)
        return
    state = read_state(path)
    if isinstance(tower, SentenceTower) and any(name.startswith("encoder.") for name in state):
        load_sentence_encoder(tower, path.parent)
        return
    if any(name.startswith(prefix) for name in state):
        state = _without(prefix, state)
    try:
        tower.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path}: not the weights of this tower: {reason}") from None


def _load_projection(tower: nn.Module, path: Path) -> None:
    if not isinstance(tower, NanoImageTower):
        raise ValueError(f"{path}: only the image tower of MobileCLIP-Nano has such a projection")
    state = _without("projection.", read_state(path))
    try:
        tower.projection.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{path}: not the weights of this projection: {reason}") from None


def _without(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }


def _checkpoint_gradients(model: Clip, origin: str) -> None:
    towers: Iterable[nn.Module] = (model.visual, model.text)
    able = [tower for tower in towers if hasattr(tower, "set_grad_checkpointing")]
    if not able:
        raise ValueError(f"{origin}: [run] gradient_checkpointing: this model's towers cannot")
    for tower in able:
        tower.set_grad_checkpointing()  # type: ignore[operator]
