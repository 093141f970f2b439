from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosearch.encoders import Tokenizer
from photosearch.encoders.tokenizer import END, START, VOCABULARY_SIZE, encode, token_texts

# Made by open_clip 3.3.0's SimpleTokenizer at 77 tokens, padding left out.
GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "golden_tokens.json").read_text(encoding="utf-8")
)
TEXTS: list[str] = [entry["text"] for entry in GOLDEN]


@pytest.fixture(scope="module")
def reference() -> Callable[[list[str], int], np.ndarray]:
    """open_clip's own tokenizer."""
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer()
    return lambda texts, context: tokenizer(texts, context).numpy()


@pytest.mark.parametrize("context", [77, 24, 3])
def test_ids_are_the_golden_ones(context: int) -> None:
    expected = np.zeros((len(GOLDEN), context), np.int64)
    for row, entry in zip(expected, GOLDEN, strict=True):
        ids = entry["ids"]
        if len(ids) > context:
            ids = [*ids[: context - 1], END]
        row[: len(ids)] = ids

    rows = Tokenizer(context)(TEXTS)

    assert rows.dtype == np.int64
    for text, row, wanted in zip(TEXTS, rows, expected, strict=True):
        np.testing.assert_array_equal(row, wanted, err_msg=ascii(text))


@pytest.mark.slow
@pytest.mark.parametrize("context", [77, 24])
def test_ids_are_open_clips(
    reference: Callable[[list[str], int], np.ndarray], context: int
) -> None:
    rows, expected = Tokenizer(context)(TEXTS), reference(TEXTS, context)
    for text, row, wanted in zip(TEXTS, rows, expected, strict=True):
        np.testing.assert_array_equal(row, wanted, err_msg=ascii(text))


def test_ids_of_random_texts_are_open_clips(
    reference: Callable[[list[str], int], np.ndarray],
) -> None:
    draw = random.Random(7)
    pieces = [*"abcXYZ019 '_-!?.&;#<>/\t\n\u00e9\u00df\u0130\u0301\u200d\u3000\u72ac\U0001f600"]
    pieces += ["'s", "'ll", "&amp;", "&lt;", "<end_of_text>", "<start_of_text>", " the ", "dog"]
    texts = ["".join(draw.choices(pieces, k=draw.randrange(1, 25))) for _ in range(500)]

    rows, expected = Tokenizer(77)(texts), reference(texts, 77)

    for text, row, wanted in zip(texts, rows, expected, strict=True):
        np.testing.assert_array_equal(row, wanted, err_msg=ascii(text))


@pytest.mark.slow
def test_ids_of_every_token_of_the_vocabulary_are_open_clips(
    reference: Callable[[list[str], int], np.ndarray],
) -> None:
    """So the vocabulary that comes with us is CLIP's, whole and in its order."""
    tokens = [text for text in token_texts() if text]
    assert len(tokens) > 48_000
    texts = [" ".join(tokens[start : start + 60]) for start in range(0, len(tokens), 60)]

    np.testing.assert_array_equal(Tokenizer(512)(texts), reference(texts, 512))


@pytest.mark.parametrize(
    "text",
    [
        "it'S, we'LL and 'twas: '\u017f 'x' ''s",
        "\u00bd cup, \u2167 and x\u00b2 of \u0664\u0665 \u4e09\u4eba",
        "\u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
        "\u00aa\u02b0 _a_b_ \u2163\u0301",
        "-" * 100 + "a" * 300,
    ],
)
def test_ids_of_letters_and_numbers_of_all_kinds_are_open_clips(
    reference: Callable[[list[str], int], np.ndarray], text: str
) -> None:
    np.testing.assert_array_equal(Tokenizer(200)([text]), reference([text], 200))


def test_a_word_without_end_takes_no_time_without_end() -> None:
    assert encode("-" * 200_000)[:50] == encode("-" * 4096)[:50]


def test_an_argument_that_was_no_utf_8_is_still_a_text() -> None:
    """Python hands such bytes of a command line on as lone surrogates."""
    assert encode("\udcff dog")[-1:] == encode("dog")


def test_a_row_is_start_text_end_and_padding() -> None:
    (row,) = Tokenizer(16)(["a dog"])
    assert list(row) == [START, *encode("a dog"), END] + [0] * 12


def test_a_cut_text_still_ends_with_the_end() -> None:
    (row,) = Tokenizer(8)(["one two three four five six seven eight nine"])
    assert list(row) == [START, *encode("one two three four five six"), END]


def test_no_texts_give_no_rows() -> None:
    assert Tokenizer(24)([]).shape == (0, 24)


def test_token_texts_read_back() -> None:
    texts = token_texts()

    assert len(texts) == VOCABULARY_SIZE
    assert "".join(texts[token] for token in encode("photosynthesis")) == "photosynthesis"
    assert [texts[token] for token in encode("a dog")] == ["a", "dog"]
    assert texts[START] == texts[END] == ""
