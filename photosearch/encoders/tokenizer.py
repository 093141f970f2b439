"""CLIP's byte-pair tokenizer: text to rows of token ids.

The cleaning, splitting and merging are those of OpenAI's CLIP (Radford et al. 2021, section 2.4);
the merging itself is done by Hugging Face's `tokenizers`.
"""

from __future__ import annotations

import gzip
import html
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tokenizers

START, END = 49406, 49407
VOCABULARY_SIZE = 49408

# The merges of two tokens into one, most frequent first, one a line. Every other part of the
# vocabulary follows from them, and building it is faster than reading it.
_MERGES = "clip_merges.txt.gz"
_WORD_END = "</w>"

# Words, contractions, single digits, and runs of anything else.
_SPLIT = r"(?i)'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

# Two words that stand for tokens of their own, unless punctuation runs into them from the left.
_SPECIAL = {"<start_of_text>": START, "<end_of_text>": END}
_SPECIAL_SPLIT = re.compile(rf"((?<![^\w\s])(?<!_)(?:{'|'.join(_SPECIAL)})+)")

# What ftfy might change: anything but printable ASCII and plain white space, and HTML entities.
_NEEDS_FIXING = re.compile(r"[^ -~\t\r\n]|&#?\w{1,24};", re.ASCII)


class Tokenizer:
    """Texts to token ids int64 (n, context_length), padded with 0.

    A text that is too long is cut so that the end-of-text token still comes last.
    """

    def __init__(self, context_length: int) -> None:
        self.context_length = context_length

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        rows = np.zeros((len(texts), self.context_length), np.int64)
        for row, text in zip(rows, texts, strict=True):
            ids = [START, *encode(text), END]
            if len(ids) > self.context_length:
                ids = [*ids[: self.context_length - 1], END]
            row[: len(ids)] = ids
        return rows


def encode(text: str) -> list[int]:
    """The token ids of one text, without start and end."""
    ids: list[int] = []
    for index, part in enumerate(_SPECIAL_SPLIT.split(_clean(text))):
        if index % 2:
            ids.extend(_SPECIAL[f"{word}>"] for word in part.split(">")[:-1])
        elif part:
            ids.extend(_byte_pairs().encode(part, add_special_tokens=False).ids)
    return ids


def token_texts() -> list[str]:
    """The text of each token of the vocabulary in id order; "" where it is no whole text."""
    from tokenizers.decoders import ByteLevel

    decoder = ByteLevel()
    texts = []
    for token_id in range(VOCABULARY_SIZE):
        token = _byte_pairs().id_to_token(token_id) or ""
        text = decoder.decode([token.removesuffix(_WORD_END)])
        texts.append("" if "\ufffd" in text or token_id in (START, END) else text)
    return texts


def _clean(text: str) -> str:
    if _NEEDS_FIXING.search(text):
        # Costs tens of milliseconds to import, which most searches do without.
        import ftfy

        text = ftfy.fix_text(text)
    text = html.unescape(html.unescape(text))
    return " ".join(text.split()).lower()


@lru_cache(maxsize=1)
def _byte_pairs() -> tokenizers.Tokenizer:
    from tokenizers import Regex, models, pre_tokenizers
    from tokenizers import Tokenizer as Pipeline

    packed = Path(__file__).with_name(_MERGES).read_bytes()
    halves = gzip.decompress(packed).decode().split()
    merges = list(zip(halves[::2], halves[1::2], strict=True))
    # CLIP numbers the bytes in the order of the letters that stand for them, then the same at the
    # end of a word, then the merges, then the special tokens.
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [
        *letters,
        *(letter + _WORD_END for letter in letters),
        *map("".join, merges),
        *_SPECIAL,
    ]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    pipeline = Pipeline(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=_WORD_END))
    pipeline.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return pipeline
