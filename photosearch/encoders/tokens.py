"""From texts to the token ids that a bundle's text network takes: the one way to open it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.bundle import CLIP_BPE, TOKENIZER, Bundle, TextSettings
from photosearch.encoders.tokenizer import Tokenizer


class Tokenise(Protocol):
    """n texts to token ids int64 (n, L), L as the settings of the text say."""

    def __call__(self, texts: Sequence[str], /) -> NDArray[np.int64]: ...

    def lengths(self, texts: Sequence[str], /) -> NDArray[np.int64]:
        """How many of the ids of each text are no padding: (n,)."""


def open_tokenizer(bundle: Bundle) -> Tokenise:
    """The tokenizer of `bundle`.

    Raises `BundleError` when it is a file of the bundle that is damaged.
    """
    text = bundle.text
    return tokenizer_for(text, None if text.tokenizer == CLIP_BPE else bundle.checked(TOKENIZER))


def tokenizer_for(settings: TextSettings, file: Path | None = None) -> Tokenise:
    """The tokenizer of a bundle with these settings, of which `file` is the tokenizer.json.

    Raises:
        ValueError: the settings name a file, and there is none.
        BundleError: the file cannot be read, or the library tokenizers did not write it.
    """
    if settings.tokenizer == CLIP_BPE:
        return Tokenizer(settings.context_length)
    if file is None:
        raise ValueError(f"the tokenizer is a file of its own, {settings.tokenizer}: name it")
    from photosearch.encoders.own_tokenizer import OwnTokenizer

    return OwnTokenizer(file, settings)
