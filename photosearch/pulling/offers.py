"""The models that can be downloaded by name: those of models.json, the recommended ones first.

What is said of each was looked up when it was added there, and models.json says where; what could
not be looked up is left out.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from photosearch.errors import UsageError

Speed = Literal["fast", "medium", "slow", "very slow"]
Kind = Literal["open_clip", "transformers", "weights"]
RESEARCH_ONLY = "apple-amlr"

# What licences that have to be accepted allow.
_RESTRICTED = {
    RESEARCH_ONLY: "for research only, and for nothing commercial, by Apple's licence",
    "CC-BY-NC-4.0": "for nothing commercial, by the licence",
}
# Multiply-adds of an image, in billions, up to which a model is called so.
_SPEEDS: tuple[tuple[float, Speed], ...] = ((5, "fast"), (10, "medium"), (30, "slow"))

_LAION = (
    "Pairs of pictures and texts from the web, chosen from Common Crawl by the DataComp project; "
    "learned by contrast."
)
_APPLE = (
    "Pairs of pictures and texts from the web, reinforced with synthetic captions and with the "
    "embeddings of larger models; learned by contrast and by distillation."
)
_OPEN_CLIP = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class Offer:
    """A model of the hub, and how it becomes a bundle.

    kind: how it is published: as ONNX in the layout of "open_clip" or "transformers", used as it
    is; or as "weights" for PyTorch, which the trainer converts. maker: who trained it; languages:
    the codes of those that texts may be in, None for many; megabytes: what is downloaded; gmac:
    multiply-adds of an image, in billions; imagenet: zero-shot accuracy, in per cent; recall: of
    XM3600 in English, in per cent. Of these four None is what could not be looked up.

    variant: what the names of its graphs end in, as "_fp16"; weights: names of its file with
    weights, the first that is there is taken; family: its configuration in the trainer, None when
    it brings one of open_clip with it. `here`: a model of this name is in the library.
    """

    name: str
    kind: Kind
    repository: str
    maker: str
    licence: str
    languages: tuple[str, ...] | None
    dim: int
    pixels: int
    megabytes: int | None
    gmac: float | None
    imagenet: float | None
    recall: float | None = None
    version: str = "1"
    variant: str = ""
    weights: tuple[str, ...] = _OPEN_CLIP
    family: str | None = None
    sigmoid: str | None = None
    recommended: bool = False
    here: bool = False

    @property
    def converted(self) -> bool:
        """Whether the trainer makes the bundle, and has to be installed."""
        return self.kind == "weights"

    @property
    def training(self) -> str:
        """On what one that the trainer converts was trained, for its card."""
        return _LAION if self.family is None else _APPLE

    @property
    def speed(self) -> Speed:
        """How fast it encodes photos, on a processor."""
        for limit, speed in _SPEEDS:
            # Only of large ones it is not known.
            if self.gmac is not None and self.gmac <= limit:
                return speed
        return "very slow"

    @property
    def research_only(self) -> bool:
        """Whether its licence has to be accepted, since it allows nothing commercial."""
        return self.licence in _RESTRICTED

    @property
    def page(self) -> str:
        """Where it is described."""
        return f"https://huggingface.co/{self.repository}"


def _offer(said: dict[str, Any]) -> Offer:
    lists = {key: tuple(said[key]) for key in ("languages", "weights") if said.get(key) is not None}
    return Offer(**(said | lists))


def _read() -> tuple[Offer, ...]:
    catalogue = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
    offers = map(_offer, catalogue["models"])
    return tuple(sorted(offers, key=lambda offer: not offer.recommended))


OFFERS = _read()


def find_offer(name: str) -> Offer:
    """The offer of that name, in capitals or not. Raises `UsageError` when there is none."""
    for offer in OFFERS:
        if offer.name.lower() == name.lower():
            return offer
    names = [offer.name for offer in OFFERS]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(
        f"{name}: no model of this name can be downloaded; {hint}`photosearch models list "
        "--available` names those that can; the folder of a bundle needs no download: "
        "`photosearch models use FOLDER`"
    )


def check_licence(offer: Offer, accepted: str | None) -> None:
    """Raise `UsageError` unless the offer's licence needs no consent, or has it."""
    if accepted is not None and accepted != offer.licence:
        raise UsageError(f"{offer.name}: its licence is {offer.licence}, not {accepted}")
    if offer.research_only and accepted is None:
        raise UsageError(
            f"{offer.name}: is {_RESTRICTED[offer.licence]} {offer.licence}; read {offer.page}, "
            f"and if you accept it add --accept-license {offer.licence}. Models under the MIT "
            f"licence need no consent, such as {_free().name}"
        )


def _free() -> Offer:
    return next(offer for offer in OFFERS if offer.licence == "MIT")
