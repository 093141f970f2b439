"""The models that can be downloaded by name.

What is said of each was looked up when it was added here: licence and repository on the Hugging
Face hub, accuracy in the publications of its authors; size and arithmetic follow from its networks.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from photosearch.errors import UsageError

Speed = Literal["fast", "medium", "slow", "very slow"]
RESEARCH_ONLY = "apple-amlr"

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
    """A model of the hub, and how it is converted.

    weights: names of its file, the first that is there is taken; megabytes: what is downloaded;
    gmac: multiply-adds of an image, in billions; imagenet: zero-shot accuracy, in per cent, as its
    authors published it; family: its configuration in the trainer, None when it brings one of
    open_clip with it. `here`: a model of this name is in the library.
    """

    name: str
    version: str
    repository: str
    weights: tuple[str, ...]
    licence: str
    dim: int
    pixels: int
    megabytes: int
    gmac: float
    imagenet: float
    training: str
    family: str | None = None
    here: bool = False

    @property
    def speed(self) -> Speed:
        """How fast it encodes photos, on a processor."""
        for limit, speed in _SPEEDS:
            if self.gmac <= limit:
                return speed
        return "very slow"

    @property
    def research_only(self) -> bool:
        """Whether its licence has to be accepted, since it allows research and nothing else."""
        return self.licence == RESEARCH_ONLY

    @property
    def page(self) -> str:
        """Where its authors describe it."""
        return f"https://huggingface.co/{self.repository}"


def _open(
    name: str, repository: str, dim: int, pixels: int, megabytes: int, gmac: float, imagenet: float
) -> Offer:
    return Offer(
        name,
        "datacomp",
        f"laion/{repository}",
        _OPEN_CLIP,
        "MIT",
        dim,
        pixels,
        megabytes,
        gmac,
        imagenet,
        _LAION,
    )


def _apple(name: str, dim: int, pixels: int, megabytes: int, gmac: float, imagenet: float) -> Offer:
    family = name.removesuffix("-LT")
    file = name.lower().replace("-", "_").replace("b_lt", "blt").replace("l_14", "l14")
    return Offer(
        name,
        "1",
        f"apple/{name}",
        (f"{file}.pt",),
        RESEARCH_ONLY,
        dim,
        pixels,
        megabytes,
        gmac,
        imagenet,
        _APPLE,
        family,
    )


# The recommended ones first, the quickest of each group at its top.
OFFERS: tuple[Offer, ...] = (
    _open("ViT-B-32", "CLIP-ViT-B-32-DataComp.XL-s13B-b90K", 512, 224, 605, 4.4, 69.2),
    _open("ViT-B-32-256", "CLIP-ViT-B-32-256x256-DataComp-s34B-b86K", 512, 256, 605, 5.8, 72.8),
    _open("ViT-B-16", "CLIP-ViT-B-16-DataComp.XL-s13B-b90K", 512, 224, 599, 17.6, 73.5),
    _open("ViT-L-14", "CLIP-ViT-L-14-DataComp.XL-s13B-b90K", 768, 224, 1711, 81.1, 79.2),
    _apple("MobileCLIP-S0", 512, 256, 216, 2.4, 67.8),
    _apple("MobileCLIP-S1", 512, 256, 340, 4.7, 72.6),
    _apple("MobileCLIP-S2", 512, 256, 398, 7.8, 74.4),
    _apple("MobileCLIP-B", 512, 224, 599, 17.8, 76.8),
    _apple("MobileCLIP-B-LT", 512, 224, 599, 17.8, 77.2),
    _apple("MobileCLIP2-S0", 512, 256, 299, 2.4, 71.5),
    _apple("MobileCLIP2-S2", 512, 256, 398, 7.8, 77.2),
    _apple("MobileCLIP2-B", 512, 224, 599, 17.8, 79.4),
    _apple("MobileCLIP2-S3", 768, 256, 995, 14.8, 80.7),
    _apple("MobileCLIP2-S4", 768, 256, 1781, 27.7, 81.9),
    _apple("MobileCLIP2-L-14", 768, 224, 1711, 81.1, 81.9),
)


def find_offer(name: str) -> Offer:
    """The offer of that name, in capitals or not. Raises `UsageError` when there is none."""
    for offer in OFFERS:
        if offer.name.lower() == name.lower():
            return offer
    names = [offer.name for offer in OFFERS]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(
        f"{name}: no model of this name can be downloaded; {hint}`photosearch models list` names "
        "those that can; the folder of a bundle needs no download: `photosearch models use FOLDER`"
    )


def check_licence(offer: Offer, accepted: str | None) -> None:
    """Raise `UsageError` unless the offer's licence needs no consent, or has it."""
    if accepted is not None and accepted != offer.licence:
        raise UsageError(f"{offer.name}: its licence is {offer.licence}, not {accepted}")
    if offer.research_only and accepted is None:
        raise UsageError(
            f"{offer.name}: is for research only, and for nothing commercial, by Apple's licence "
            f"{offer.licence}; read {offer.page}/blob/main/LICENSE, and if you accept it add "
            f"--accept-license {offer.licence}. Models under the MIT licence need no consent, such "
            f"as {OFFERS[0].name}"
        )
