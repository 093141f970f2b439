"""The configuration of each model of the family: one JSON file, named after the model.

    config = load_config("MobileCLIP-S0")
    config.image.mean                        # (0.0, 0.0, 0.0)

Preprocessing is part of a model and stands in its configuration. It is not left to open_clip, which
falls back to OpenAI's mean and standard deviation for a model without one of its own weight tags.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

_FOLDER = Path(__file__).parent / "configs"


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """The image tower, and how a photo becomes its input.

    `tower` is timm's name of the network, `pool` the pooling before its projection, `size` the side
    of the square input in pixels, `mean` and `std` those of RGB values in 0-1, and `drop_path` the
    stochastic depth of training. `hidden`, when given, puts a projection with a hidden layer of
    that width behind the network, as MobileCLIP-Nano has, in place of the network's own classifier.
    With `concepts` the tower is a `ConceptImageTower`: `tower` then names one or more classifiers,
    with "+" between them, and `hidden` is the width of the head on their features.
    """

    tower: str
    pool: Literal["avg", "token"]
    size: int
    resize: Literal["shortest", "squash"]
    crop: Literal["center", "none"]
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    drop_path: float = 0.0
    hidden: int | None = None
    concepts: bool = False

    def __post_init__(self) -> None:
        if self.concepts and self.hidden is None:
            raise ValueError('an image tower with concepts needs "hidden", the width of its head')


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """The text tower: `mct` (see `trainer.models.mct`), CLIP's own `transformer`, or `sentence`.

    The last is a sentence encoder (see `trainer.models.sentence_tower`), which has a tokenizer of
    its own and gives features of its own width.

    `embed_dim` narrows the token table, in `mct` only, which in turn cannot be `causal`;
    `layer_scale` is what the scales of its RepMixer blocks start from.
    """

    tower: Literal["mct", "transformer", "sentence"]
    context_length: int
    vocab_size: int
    width: int
    heads: int
    layers: int
    causal: bool = False
    embed_dim: int | None = None
    layer_scale: float = 1e-5

    def __post_init__(self) -> None:
        if self.tower != "transformer" and self.causal:
            raise ValueError(f"text tower {self.tower} sees later tokens: it cannot be causal")
        if self.tower != "mct" and self.embed_dim is not None:
            raise ValueError(f"embed_dim applies to text tower mct, not to {self.tower}")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A model: its two towers and the width `dim` of the space that they share."""

    name: str
    source: str
    dim: int
    image: ImageConfig
    text: TextConfig


def image_facts(image: ImageConfig) -> dict[str, Any]:
    """How a photo becomes the input of this image tower, as "image" in bundle.json."""
    names = ("size", "resize", "crop", "interpolation", "mean", "std")
    return {name: getattr(image, name) for name in names}


def model_names() -> list[str]:
    """The models that have a configuration, in alphabetical order."""
    return sorted(file.stem for file in _FOLDER.glob("*.json"))


def load_config(name: str) -> ModelConfig:
    """The configuration of one model.

    Raises `ValueError` for a name without one, or a file that does not say what it must.
    """
    return read_config(config_file(name))


def config_of(name: str, image_size: int | None = None) -> ModelConfig:
    """The configuration of a model, or in a JSON file, perhaps for pictures of another size.

    Raises what `load_config` and `read_config` do.
    """
    known = name in model_names() or not Path(name).is_file()
    config = load_config(name) if known else read_config(Path(name))
    size = image_size or config.image.size
    return replace(config, image=replace(config.image, size=size))


def config_file(name: str) -> Path:
    """The file of one model's configuration; raises `ValueError` for a name without one."""
    names = model_names()
    if name not in names:
        raise ValueError(f"no model {name!r}; choose one of {', '.join(names)}")
    return _FOLDER / f"{name}.json"


def read_config(file: Path) -> ModelConfig:
    """The configuration in `file`. Raises `ValueError` naming the file and what is wrong in it."""
    try:
        fields: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        image = dict(fields.pop("image"))
        image |= {"mean": tuple(image["mean"]), "std": tuple(image["std"])}
        return ModelConfig(
            name=file.stem,
            image=ImageConfig(**image),
            text=TextConfig(**fields.pop("text")),
            **fields,
        )
    except KeyError as error:
        raise ValueError(f"{file}: missing {error}") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from error
