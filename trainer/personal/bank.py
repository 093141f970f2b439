"""The texts that a student is taught with, where no photo has a caption.

What people look for: everyday things, alone and in the ways in which they are asked for, and the
words of the library's owner. A tenth is held out, to be asked for at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from photosearch.words.dictionary import translated
from trainer.captioners.wording import with_article
from trainer.data.corpus import TEMPLATES
from trainer.relevance.asked import things

# Words that so many of the languages of the list have one for.
_LANGUAGES = 4
_HELD_OUT = 10


@dataclass(frozen=True)
class Bank:
    """Distinct texts: `names` of what photos may show, which serve as captions; `texts`, all that
    is taught; and those that are `held_out`."""

    names: tuple[str, ...]
    texts: tuple[str, ...]
    held_out: tuple[str, ...]


def make_bank(
    words: Sequence[str], searches: Sequence[str], more: Sequence[str] = (), least: int = _LANGUAGES
) -> Bank:
    """Of the owner's words and searches, of what comes along, and of `more` texts as they are."""
    named = [*map(with_article, [*things(), *words]), *searches]
    general = translated(least)
    templated = [template.format(word) for word in [*things(), *words] for template in TEMPLATES]
    templated += [TEMPLATES[_rank(word) % len(TEMPLATES)].format(word) for word in general]
    every = dict.fromkeys([*named, *words, *things(), *general, *templated, *more])
    held = tuple(text for text in every if _rank(text) % _HELD_OUT == 0)
    hidden = set(held)
    return Bank(
        tuple(text for text in dict.fromkeys(named) if text not in hidden),
        tuple(sorted((text for text in every if text not in hidden), key=_rank)),
        held,
    )


def _rank(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.lower().encode()).digest()[:8], "little")
