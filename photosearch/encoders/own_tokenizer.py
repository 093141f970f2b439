"""A bundle's own tokenizer: the file tokenizer.json of Hugging Face's library `tokenizers`.

The library reads every kind. But importing it, and its reading of 30,000 words, would be a good
part of the processor time of a search. So the kind that most sentence encoders have is split by
`photosearch.encoders.wordpiece`, as long as a text is plain ASCII. All that is hard, such as
accents, scripts without blanks and special tokens in a text, is the library's.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.bundle import TextSettings
from photosearch.encoders.tokenizer import tidy
from photosearch.encoders.wordpiece import WordPiece
from photosearch.errors import BundleError

_FETCH = "fetch the bundle again"
# A file of the kind that is split here has it. Others are the library's alone: those of many
# languages have 30 MB, which two should not read.
_PLAIN = b'"WordPiece"'
_PUNCTUATION = str.maketrans("_", " ", string.punctuation.replace("_", ""))


class OwnTokenizer:
    """Texts to token ids int64 (n, L), by the file at `path`.

    A text is cut to the context length, with what the file puts around a text kept. L is the
    context length, or that of the longest text, as `settings.padding` says.

    Raises `BundleError` when the file cannot be read, or the library did not write it.
    """

    def __init__(self, path: Path, settings: TextSettings) -> None:
        self._path, self._settings = path, settings
        content = _bytes(path)
        self._plain = None
        if _PLAIN in content:
            self._plain = WordPiece.of(_parsed(path, content), settings.context_length)
        if self._plain is None:
            _ = self._library  # a fault is told now, and not by the first text

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        rows = self._rows(texts)
        length = self._settings.context_length
        if self._settings.padding == "longest":
            length = max(map(len, rows), default=length)
        ids = np.full((len(rows), length), self._settings.pad_id, np.int64)
        for row, found in zip(ids, rows, strict=True):
            row[: len(found)] = found
        return ids

    def lengths(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """How many of the ids of each text are no padding: (n,)."""
        return np.array([len(row) for row in self._rows(texts)], np.int64)

    def _rows(self, texts: Sequence[str]) -> list[Sequence[int]]:
        clean, prefix = self._settings.clean, self._settings.prefix
        return [self._ids(prefix + cleaned(text, clean)) for text in texts]

    def _ids(self, text: str) -> Sequence[int]:
        if self._plain is not None and self._plain.knows(text):
            return self._plain(text)
        # A lone surrogate, as of a file name that is no text, is nothing to it.
        plain = text.encode(errors="replace").decode()
        try:
            ids: Sequence[int] = self._library.encode(plain).ids
        except Exception as error:  # as of a vocabulary that lacks the word for unknown ones
            raise BundleError(
                f"{self._path}: the library tokenizers cannot use it "
                f"({' '.join(str(error).split())[:200]}); {_FETCH}"
            ) from None
        return ids

    @cached_property
    def _library(self) -> Any:
        import tokenizers

        try:
            library = tokenizers.Tokenizer.from_file(str(self._path))
            library.no_padding()
            library.enable_truncation(self._settings.context_length)
        except Exception as error:  # the library has no class of its own for them
            _parsed(self._path, _bytes(self._path))  # it may tell more
            raise BundleError(
                f"{self._path}: the library tokenizers cannot read it "
                f"({' '.join(str(error).split())[:200]}); {_FETCH}, or upgrade tokenizers"
            ) from None
        return library


def cleaned(text: str, how: str) -> str:
    """A text as `TextSettings.clean` says; what open_clip's tokenizers make of it."""
    if how == "none":
        return text
    text = tidy(text)
    if how == "canonicalize":
        # In the order of those who trained such models: case after punctuation.
        return " ".join(text.translate(_PUNCTUATION).lower().split())
    return text.lower() if how == "lower" else text


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror}); make it readable, or {_FETCH}"
        ) from None


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode())
    except (ValueError, RecursionError) as error:  # broken JSON, or bytes that are not UTF-8
        raise BundleError(f"{path}: is not valid JSON ({error}); {_FETCH}") from None
    if not isinstance(found, dict) or not isinstance(found.get("model"), dict):
        raise BundleError(
            f'{path}: has no "model", so it was not written by the library tokenizers; {_FETCH}'
        )
    return found
