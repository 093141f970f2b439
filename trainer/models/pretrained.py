"""Any model that open_clip can open, with its weights and the preprocessing that belongs to them.

    opened = load_pretrained("ViT-L-14", "datacomp_xl_s13b_b90k")             # a tag of open_clip
    opened = load_pretrained("ViT-L-14", "weights.pt", like="openai")         # a file
    opened = load_pretrained("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K")  # or local-dir:FOLDER
    features = opened.model.encode_image(opened.preprocess(photo)[None].to(opened.device))

Weights do not say how their pictures were normalised, nor under which activation function they
were trained; open_clip keeps both with its tags. Left alone, it gives weights from a file OpenAI's
statistics and GELU without a word, and a tag trained with QuickGELU the wrong activation with no
more than a warning. Both are taken from the tag here, and where it is not known which tag's they
are, that is an error.
"""

from __future__ import annotations

import difflib
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor

from trainer.fingerprint import fingerprint, tokenizer_facts
from trainer.torchvision_ops import ensure_torchvision

_RECIPE = ("mean", "std", "interpolation", "resize_mode")

# What reading a file of other content, or a folder or repository without a model, raises.
_LOADING_ERRORS = (
    RuntimeError,
    ValueError,
    OSError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    StopIteration,
    pickle.UnpicklingError,
    SafetensorError,
)


@dataclass(frozen=True)
class Pretrained:
    """A frozen model in evaluation mode, and what goes with it.

    `preprocess` makes a normalised (3, S, S) tensor of a picture, `tokenizer` ids (n, context) of
    texts. `preprocessing` says in words whose statistics `preprocess` applies. `digest` is a
    sha256 over weights, architecture, preprocessing, tokenizer and the version of open_clip; where
    the weights came from does not count.
    """

    name: str
    model: Any
    preprocess: Callable[[Image.Image], Tensor]
    preprocessing: str
    tokenizer: Any
    device: torch.device
    digest: str


def load_pretrained(
    model: str,
    weights: str | None = None,
    *,
    like: str | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    device: str | torch.device | None = None,
) -> Pretrained:
    """Open `model` with `weights`, a tag of open_clip or a file.

    model: open_clip's name of an architecture, or `hf-hub:OWNER/NAME` or `local-dir:FOLDER`, which
        hold their own weights and `open_clip_config.json`, and take no `weights`.
    like: for a file, the tag whose preprocessing and activation function belong to it. Needed only
        where the tags of the model differ.
    mean, std: of RGB values in 0-1, in place of what the tag or configuration says.
    device: the first GPU when there is one, if not given.

    Tags and repositories are downloaded once, by open_clip; with HF_HUB_OFFLINE=1 only what was
    downloaded before is looked at.

    Raises `ValueError`, in one line, when there is no such model, tag or file, when weights cannot
    be had or are those of another model, or when the preprocessing is not known.
    """
    ensure_torchvision()
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2

    source = _find(model, weights, like, normalised=bool(mean and std))
    preprocessing = source.preprocessing
    if mean or std:
        preprocessing += ", with the mean or std given"
    overrides = {key: source.recipe.get(key) for key in _RECIPE}
    overrides |= {k: tuple(v) for k, v in {"mean": mean, "std": std}.items() if v}
    # A tag that does not say leaves the choice to the configuration of the model.
    quick_gelu = bool(source.recipe.get("quick_gelu"))
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    try:
        network = open_clip.create_model(
            model,
            pretrained=source.file,
            device=device,
            force_quick_gelu=quick_gelu,
            force_preprocess_cfg=overrides,
            require_pretrained=True,
        )
        tokenizer = open_clip.get_tokenizer(model)
    except _LOADING_ERRORS as error:
        raise ValueError(
            f"{source.name}: cannot be opened ({_reason(error)}); check that the weights are "
            "of this model and complete, and that the network may be used if they are not here"
        ) from None
    network.eval().requires_grad_(False)
    settings = network.visual.preprocess_cfg
    transform = image_transform_v2(PreprocessCfg(**settings), is_train=False)
    facts = {
        "open_clip": open_clip.__version__,
        "architecture": open_clip.get_model_config(model),
        "quick_gelu": quick_gelu,
        "preprocessing": settings,
        "tokenizer": tokenizer_facts(tokenizer),
    }
    return Pretrained(
        source.name,
        network,
        transform,
        preprocessing,
        tokenizer,
        device,
        fingerprint(facts, network.state_dict()),
    )


@dataclass(frozen=True)
class _Source:
    """Where weights come from. `recipe` holds what a tag says beyond them, {} where there is none;
    `file` is None where `model` itself names the weights."""

    name: str
    preprocessing: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None


def _find(model: str, weights: str | None, like: str | None, *, normalised: bool) -> _Source:
    """`normalised`: mean and standard deviation are given, so no tag need tell them."""
    import open_clip

    scheme, _, place = model.partition(":")
    if scheme in ("hf-hub", "local-dir") and place:
        if weights or like:
            raise ValueError(f"{model}: holds its own weights; leave out {weights or like!r}")
        name = Path(place).name if scheme == "local-dir" else place
        return _Source(name, "its open_clip_config.json")
    if open_clip.get_model_config(model) is None:
        close = difflib.get_close_matches(model, open_clip.list_models(), cutoff=0.0)
        raise ValueError(
            f"{model}: open_clip has no such model; the nearest are {', '.join(close)}"
        )
    if weights is None:
        raise ValueError(f"{model}: name a file with weights, or one of its tags, {_tags(model)}")
    tag = open_clip.get_pretrained_cfg(model, weights)
    if tag:
        if like:
            raise ValueError(f"{model}: {weights} is a tag itself; leave out {like!r}")
        return _Source(f"{model} {weights}", f"tag {weights}", tag, _download(model, weights, tag))
    if not Path(weights).is_file():
        raise ValueError(
            f"{model}: {weights} is neither a file nor one of its tags, {_tags(model)}"
        )
    recipe, preprocessing = _recipe_of_file(model, weights, like, normalised=normalised)
    return _Source(f"{model} {Path(weights).name}", preprocessing, recipe, weights)


def _tags(model: str) -> str:
    import open_clip

    return ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "(none)"


def _download(model: str, tag: str, settings: Mapping[str, Any]) -> str:
    """The file with the weights of a tag, from the cache or the network."""
    import open_clip

    try:
        return open_clip.download_pretrained(settings)
    except Exception as error:  # hub and network raise what their own layers do, of many kinds
        where = settings.get("hf_hub") or settings.get("url")
        raise ValueError(
            f"{model} {tag}: its weights are neither in the cache nor to be had from {where} "
            f"({_reason(error)}); go online once, or download them elsewhere and name the file "
            f"as {model}:FILE:{tag}"
        ) from None


def _recipe_of_file(
    model: str, file: str, like: str | None, *, normalised: bool
) -> tuple[Mapping[str, Any], str]:
    """The settings that belong to weights from a file, and whose they are."""
    import open_clip

    tags = {
        tag: open_clip.get_pretrained_cfg(model, tag)
        for tag in open_clip.list_pretrained_tags_by_model(model)
    }
    if like is not None:
        settings = open_clip.get_pretrained_cfg(model, like)
        if not settings:
            raise ValueError(f"{model}: no tag {like!r}; its tags are {_tags(model)}")
        return settings, f"tag {like}"
    if not tags:
        if normalised:
            return {}, "open_clip's defaults"
        raise ValueError(
            f"{file}: no tag of {model} tells how its pictures are normalised; put the file into "
            "a folder with an open_clip_config.json and name it as local-dir:FOLDER"
        )
    kinds = {
        (*(str(settings.get(key)) for key in _RECIPE), bool(settings.get("quick_gelu")))
        for settings in tags.values()
    }
    if len(kinds) > 1:
        raise ValueError(
            f"{file}: the tags of {model} differ in normalisation or activation; say which one's "
            f"these weights need, as {model}:FILE:TAG with one of {_tags(model)}"
        )
    return next(iter(tags.values())), f"the tags of {model}"


def _reason(error: BaseException) -> str:
    """The first sentence of an error's message, or its kind when it has none.

    What follows is advice for whoever calls the library, such as to unpickle what is not trusted.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].split(". ")[0] if lines else type(error).__name__


def split_spec(text: str) -> tuple[str, str | None, str | None]:
    """`MODEL:WEIGHTS:TAG` as the model, weights and `like` of `load_pretrained`.

    The last two may be missing; `hf-hub:OWNER/NAME` and `local-dir:FOLDER` stay whole.
    """
    if text.startswith(("hf-hub:", "local-dir:")):
        return text, None, None
    model, _, rest = text.partition(":")
    if ":" not in rest or Path(rest).is_file():  # a path may hold a colon: a Windows drive
        return model, rest or None, None
    weights, _, like = rest.rpartition(":")
    return model, weights, like or None
