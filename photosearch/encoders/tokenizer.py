"""CLIP's byte-pair tokenizer: text to rows of token ids.

The cleaning, splitting and merging are those of OpenAI's CLIP (Radford et al. 2021, section 2.4).
"""

from __future__ import annotations

import gzip
import html
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

START, END = 49406, 49407
VOCABULARY_SIZE = 49408

# The merges of two tokens into one, most frequent first, one a line. Every other part of the
# vocabulary follows from them, and building it is faster than reading it.
_MERGES = "clip_merges.txt.gz"
_WORD_END = "</w>"

# Bytes of a word that are looked at: no token has more than 32, and no context more than 77.
_LONGEST = 4096

# Words, contractions, single digits, and runs of anything else. In a text other than ASCII it is
# looked for in the text's shape.
_SPLIT = re.compile("'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^ a-z0-9]+")

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

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """How many of the ids of each text are no padding: (n,)."""
        found = [len(encode(text)) + 2 for text in texts]
        return np.minimum(np.array(found, np.int64), self.context_length)


def encode(text: str) -> list[int]:
    """The token ids of one text, without start and end."""
    ids: list[int] = []
    for index, part in enumerate(_SPECIAL_SPLIT.split(tidy(text).lower())):
        if index % 2:
            ids.extend(_SPECIAL[f"{word}>"] for word in part.split(">")[:-1])
        else:
            for word in _words(part):
                ids.extend(_pieces(word))
    return ids


def is_clips(merges: Sequence[str]) -> bool:
    """Whether two tokens become one by these merges, "a b" each, as they do here."""
    return list(merges) == list(_ranks())


def token_texts() -> list[str]:
    """The text of each token of the vocabulary in id order; "" where it is no whole text."""
    byte_of = {letter: byte for byte, letter in enumerate(_letters())}
    tokens = sorted(byte_of)
    tokens += [letter + _WORD_END for letter in tokens]
    tokens += [pair.replace(" ", "") for pair in _ranks()]
    texts = []
    for token in tokens:
        letters = token.removesuffix(_WORD_END)
        text = bytes(byte_of[letter] for letter in letters).decode(errors="replace")
        texts.append("" if "\ufffd" in text else text)
    return texts + [""] * len(_SPECIAL)


def tidy(text: str) -> str:
    """A text with its characters mended, without entities of HTML, each white space one blank."""
    if _NEEDS_FIXING.search(text):
        # Costs tens of milliseconds to import, which most searches do without.
        import ftfy

        text = ftfy.fix_text(text)
    text = html.unescape(html.unescape(text))
    return " ".join(text.split())


def _words(text: str) -> Iterator[str]:
    shape = text if text.isascii() else "".join(map(_shape, text))
    return (text[found.start() : found.end()] for found in _SPLIT.finditer(shape))


def _shape(letter: str) -> str:
    """An ASCII letter that splits as this one does."""
    if letter.isascii():
        return letter
    if letter == "\u017f":  # the long s, of which CLIP makes contractions as well
        return "s"
    return "a" if letter.isalpha() else "0" if letter.isalnum() else "."


@lru_cache(maxsize=16384)
def _pieces(word: str) -> tuple[int, ...]:
    """The ids of the tokens of a word: of two neighbours those are merged first that rank first."""
    letters, numbers, ranks = _letters(), _numbers(), _ranks()
    tokens = [letters[byte] for byte in word.encode()[:_LONGEST]]
    ids = [numbers[token] for token in tokens]
    tokens[-1] += _WORD_END
    ids[-1] += len(numbers)
    unknown = len(ranks)
    pairs = [ranks.get(f"{one} {other}", unknown) for one, other in pairwise(tokens)]
    while pairs and (rank := min(pairs)) < unknown:
        at = pairs.index(rank)
        tokens[at : at + 2] = [tokens[at] + tokens[at + 1]]
        ids[at : at + 2] = [2 * len(numbers) + rank]
        around = pairwise(tokens[max(0, at - 1) : at + 2])
        pairs[max(0, at - 1) : at + 2] = [ranks.get(f"{a} {b}", unknown) for a, b in around]
    return tuple(ids)


@lru_cache(maxsize=1)
def _letters() -> tuple[str, ...]:
    """By a byte the letter that stands for it: itself where that can be seen, or one far away."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = (byte for byte in range(256) if byte not in seen)
    stands = {byte: 256 + number for number, byte in enumerate(hidden)}
    return tuple(chr(stands.get(byte, byte)) for byte in range(256))


@lru_cache(maxsize=1)
def _numbers() -> dict[str, int]:
    """The id of each byte's letter: they are numbered in their order as letters.

    Then come the same at the end of a word, then the merges, then the special tokens.
    """
    return {letter: number for number, letter in enumerate(sorted(_letters()))}


@lru_cache(maxsize=1)
def _ranks() -> dict[str, int]:
    """By a pair of tokens, with a blank between them, the place of its merge."""
    packed = Path(__file__).with_name(_MERGES).read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    return dict(zip(lines, range(len(lines)), strict=True))
