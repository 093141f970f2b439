"""Which of the models that can be downloaded suits this machine, this library and its user best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from photosearch.pulling.offers import OFFERS, Offer
from photosearch.pulling.run import vectors_size

# Of the memory, what a model may take; the rest is for the decoders and for other programs.
SHARE = 0.5
# Bytes that the program takes beside the weights.
_BESIDE = 600e6
# Weights are float32 in memory where a processor computes with them, whatever the file has.
_IN_MEMORY = {"_fp16": 2.2, "_quantized": 1.3}
_AS_THE_FILE = 1.2
# Encoding may go on for a night; what takes longer comes after what does not.
_NIGHT = 10 * 3600.0
# A library grows, and one that is empty is to be filled: it counts as no smaller than that.
_FEWEST = 5000


@dataclass(frozen=True)
class Machine:
    """What decides which model suits.

    memory, free: bytes of memory, and of the disk that the library is on. pace: billions of
    multiply-adds a second. photos: how many the library has, and reading: the seconds that each
    takes to be read and decoded.
    """

    memory: int
    free: int
    pace: float
    photos: int
    reading: float


@dataclass(frozen=True)
class Advice:
    """What is to be said of an offer here.

    seconds: what it takes to encode the library, or the next thousand photos where that is empty;
    None when it is not known. memory, disk: bytes that it takes. fits: whether the memory is
    enough; understands: whether texts may be in the language that was asked for.
    """

    offer: Offer
    seconds: float | None
    memory: int | None
    disk: int | None
    fits: bool
    understands: bool


def advise(
    machine: Machine, language: str = "en", offers: Sequence[Offer] = OFFERS
) -> list[Advice]:
    """All offers, the best one for this machine and language first.

    Those come first that fit into memory, understand the language, encode the library in a night,
    are used as they are published, and may be used for anything; among equals those that find most.
    """
    found = [_of(offer, machine, language) for offer in offers]
    return sorted(found, key=lambda each: _place(each, machine))


def recommended(
    machine: Machine, language: str = "en", offers: Sequence[Offer] = OFFERS
) -> list[Advice]:
    """The one model to offer, and where it does not understand the language one that does.

    Empty where none fits into memory.
    """
    here = advise(machine, language, offers)
    best = next((one.offer for one in advise(machine, offers=offers) if _is_for_all(one)), None)
    found = [one for one in here if one.offer == best]
    if not any(one.understands for one in found):
        found += [one for one in here if one.understands and _is_for_all(one)][:1]
    return found


def _is_for_all(one: Advice) -> bool:
    return one.offer.recommended and one.fits


def disk_needed(offer: Offer, photos: int) -> int | None:
    """Bytes of the model and of its vectors of so many photos; None when that is not known."""
    if offer.megabytes is None:
        return None
    return int(offer.megabytes * 1e6) + vectors_size(offer.dim, photos)


def _of(offer: Offer, machine: Machine, language: str) -> Advice:
    seconds = None
    if offer.gmac is not None:
        seconds = (machine.photos or 1000) * (machine.reading + offer.gmac / machine.pace)
    memory = None
    if offer.megabytes is not None:
        memory = int(offer.megabytes * 1e6 * _IN_MEMORY.get(offer.variant, _AS_THE_FILE) + _BESIDE)
    return Advice(
        offer=offer,
        seconds=seconds,
        memory=memory,
        disk=disk_needed(offer, machine.photos),
        fits=memory is None or memory <= SHARE * machine.memory,
        understands=offer.languages is None or language in offer.languages,
    )


def _place(one: Advice, machine: Machine) -> tuple[object, ...]:
    photos = machine.photos or 1000
    whole = None if one.seconds is None else one.seconds * max(photos, _FEWEST) / photos
    return (
        not one.fits,
        not one.understands,
        whole is None or whole > _NIGHT,
        one.offer.converted,
        one.offer.research_only,
        -_quality(one.offer),
        one.offer.name,
    )


def _quality(offer: Offer) -> float:
    """Recall in per cent: as it was published, or as the accuracy on ImageNet lets expect."""
    if offer.recall is not None:
        return offer.recall
    if offer.imagenet is None:
        return 0.0
    slope, constant = _line()
    return slope * offer.imagenet + constant


@lru_cache(maxsize=1)
def _line() -> tuple[float, float]:
    """Recall by accuracy, over the models of English of which both were published."""
    both = np.array(
        [
            (offer.imagenet, offer.recall)
            for offer in OFFERS
            if offer.imagenet and offer.recall and offer.languages == ("en",)
        ],
        np.float64,
    )
    slope, constant = np.polyfit(both[:, 0], both[:, 1], 1)
    return float(slope), float(constant)
