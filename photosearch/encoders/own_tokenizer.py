"""A bundle's own tokenizer: the file tokenizer.json of Hugging Face's library `tokenizers`.

The library reads every kind. But importing it, and its reading of 30,000 words, would be a good
part of the processor time of a search. So the kind that most sentence encoders have is split by
`photosearch.encoders.wordpiece`, as long as a text is plain ASCII. All that is hard, such as
accents, scripts without blanks and special tokens in a text, is the library's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.bundle import TextSettings
from photosearch.encoders.wordpiece import WordPiece
from photosearch.errors import BundleError

_FETCH = "fetch the bundle again"


class OwnTokenizer:
    """Texts to token ids int64 (n, L), by the file at `path`.

    A text is cut to the context length, with what the file puts around a text kept. L is the
    context length, or that of the longest text, as `settings.padding` says.

    Raises `BundleError` when the file cannot be read, or the library did not write it.
    """

    def __init__(self, path: Path, settings: TextSettings) -> None:
        self._path, self._settings = path, settings
        self._plain = WordPiece.of(_read(path), settings.context_length)
        if self._plain is None:
            _ = self._library  # a fault is told now, and not by the first text

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        rows = [self._ids(text) for text in texts]
        length = self._settings.context_length
        if self._settings.padding == "longest":
            length = max(map(len, rows), default=length)
        ids = np.full((len(rows), length), self._settings.pad_id, np.int64)
        for row, found in zip(ids, rows, strict=True):
            row[: len(found)] = found
        return ids

    def _ids(self, text: str) -> Sequence[int]:
        if self._plain is not None and self._plain.knows(text):
            return self._plain(text)
        # A lone surrogate, as of a file name that is no text, is nothing to it.
        ids: Sequence[int] = self._library.encode(text.encode(errors="replace").decode()).ids
        return ids

    @cached_property
    def _library(self) -> Any:
        import tokenizers

        try:
            library = tokenizers.Tokenizer.from_file(str(self._path))
            library.no_padding()
            library.enable_truncation(self._settings.context_length)
        except Exception as error:  # the library has no class of its own for them
            raise BundleError(
                f"{self._path}: the library tokenizers cannot read it "
                f"({' '.join(str(error).split())[:200]}); {_FETCH}, or upgrade tokenizers"
            ) from None
        return library


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror}); make it readable, or {_FETCH}"
        ) from None
    except (ValueError, RecursionError) as error:  # broken JSON, or bytes that are not UTF-8
        raise BundleError(f"{path}: is not valid JSON ({error}); {_FETCH}") from None
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise BundleError(
            f'{path}: has no "model", so it was not written by the library tokenizers; {_FETCH}'
        )
    return content
