"""BERT's lower-cased WordPiece, for plain ASCII texts (Devlin et al. 2018, section 3).

A word becomes the longest token that it begins with, then the longest that goes on from there. The
vocabulary is read from a tokenizer.json of Hugging Face's library `tokenizers`, which does the same
and more; see `photosearch.encoders.own_tokenizer`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

# Controls, which BERT drops, and "[", with which its special tokens begin, are not among them.
_PLAIN = re.compile(r"[ -Z\\-~\t\r\n]*")
_SPLIT = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")
_NORMALIZER = {
    "type": "BertNormalizer",
    "clean_text": True,
    "handle_chinese_chars": True,
    "strip_accents": None,
    "lowercase": True,
}
_LONGEST = 100
_MODEL = {
    "type": "WordPiece",
    "continuing_subword_prefix": "##",
    "max_input_chars_per_word": _LONGEST,
}
_PARTS = {"normalizer": _NORMALIZER, "pre_tokenizer": {"type": "BertPreTokenizer"}}


class WordPiece:
    """The token ids of a text that `knows` lets pass, cut to `context` with what is around them."""

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        unknown: int,
        around: tuple[Sequence[int], Sequence[int]],
        context: int,
    ) -> None:
        self._vocabulary, self._unknown = vocabulary, unknown
        self._before, self._after = around
        self._most = context - len(self._before) - len(self._after)

    @classmethod
    def of(cls, content: Mapping[str, Any], context: int) -> Self | None:
        """As tokenizer.json says; None when that is another kind of tokenizer."""
        try:
            model, vocabulary = content["model"], content["model"]["vocab"]
            special = [token["content"] for token in content["added_tokens"]]
            if (
                any(content[part] != expected for part, expected in _PARTS.items())
                or any(model[key] != expected for key, expected in _MODEL.items())
                or not all(token.startswith("[") for token in special)
            ):
                return None
            around = _around(content["post_processor"])
            return cls(vocabulary, vocabulary[model["unk_token"]], around, context)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a text is split here as the library does."""
        return _PLAIN.fullmatch(text) is not None

    def __call__(self, text: str) -> list[int]:
        ids: list[int] = []
        for word in _SPLIT.finditer(text.lower()):
            if len(ids) >= self._most:
                break
            ids += self._pieces(word.group())
        return [*self._before, *ids[: self._most], *self._after]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST:
            return [self._unknown]
        ids, start, prefix = [], 0, ""
        while start < len(word):
            for end in range(len(word), start, -1):
                found = self._vocabulary.get(prefix + word[start:end])
                if found is not None:
                    break
            else:
                return [self._unknown]
            ids.append(found)
            start, prefix = end, "##"
        return ids


def _around(post_processor: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """The ids before and after a single text, by a template.

    Raises `ValueError` when it has no text or more than one, and `KeyError` for another kind.
    """
    known = post_processor["special_tokens"]
    parts = [part.get("SpecialToken") for part in post_processor["single"]]
    at = parts.index(None)
    before, after = (
        [number for part in side for number in known[part["id"]]["ids"]]
        for side in (parts[:at], parts[at + 1 :])
    )
    return before, after
