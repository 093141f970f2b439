"""A bundle's own tokenizer: the ids are those of the library that wrote the file."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from optional import needs_user
from own_tokenizers import VOCABULARY, WORDS, bert, by_the_library, edited, unigram, write

from photosearch.encoders import TextSettings, Tokenizer, tokenizer_for
from photosearch.encoders.own_tokenizer import OwnTokenizer
from photosearch.encoders.wordpiece import WordPiece
from photosearch.errors import BundleError

PLAIN = [
    "",
    " ",
    "a dog",
    "The DOG, the cat!",
    "the\tred\r\ncar",
    "dogs, cars' buses-1",
    "d-o-g 1.2#3",
    "unknownword dog",
    "dog" * 33 + "d",
    "dog" * 34,
    "a " * 200,
    "##a ##ing ]",
]
HARD = [
    "Zürich Straße",
    "ZÜRICH",
    "Zu\u0308rich",
    "a 犬 dog犬cat",
    "ΣΑΣ İ ﬁ",
    "red\u00a0car\u3000bus \u200b\ufeffdog",
    "a\x00dog\x07 \x1ccat\x7f",
    "[CLS] dog [SEP]",
    "[MASK]ed dog[PAD]",
    "🐕 dog",
    "\ud800 dog",
]


def settings(context: int = 16, padding: Any = "longest", pad_id: int = 0) -> TextSettings:
    return TextSettings(context, "tokenizer.json", pad_id, padding)


def opened(path: Path, **changes: Any) -> OwnTokenizer:
    tokenizer = tokenizer_for(settings(**changes), path)
    assert isinstance(tokenizer, OwnTokenizer)
    return tokenizer


def rows_of(tokenizer: OwnTokenizer, texts: list[str]) -> list[list[int]]:
    """The ids of each text alone."""
    return [tokenizer([text])[0].tolist() for text in texts]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(bert(), tmp_path_factory.mktemp("bert"))


@pytest.mark.parametrize("context", [3, 5, 16, 300])
def test_ids_are_the_librarys(file: Path, context: int) -> None:
    ids = rows_of(opened(file, context=context), PLAIN + HARD)
    given = [text.replace("\ud800", "?") for text in PLAIN + HARD]
    for text, row, expected in zip(given, ids, by_the_library(file, given, context), strict=True):
        assert row == expected, ascii(text)


def test_ids_of_random_texts_are_the_librarys(file: Path) -> None:
    dice = random.Random(3)
    texts = [
        "".join(dice.choices(alphabet, k=dice.randrange(60)))
        for alphabet in (string.printable, "abcd ", "dogcat#'- ", "a犬ü [CLS]")
        for _ in range(300)
    ]
    texts += [" ".join(dice.choices(WORDS, k=5)) + dice.choice(WORDS) for _ in range(300)]
    assert rows_of(opened(file), texts) == by_the_library(file, texts, 16)


def test_plain_texts_do_without_the_library(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = by_the_library(file, PLAIN, 16)
    monkeypatch.setattr(tokenizers, "Tokenizer", None)
    tokenizer = opened(file)
    assert rows_of(tokenizer, PLAIN) == expected
    with pytest.raises(BundleError):
        tokenizer(["Zürich"])


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(unigram, id="another model"),
        pytest.param(lambda: bert(lowercase=False), id="with capitals"),
        pytest.param(lambda: bert(prefix="@@"), id="another mark of what goes on"),
    ],
)
def test_other_kinds_are_the_librarys_alone(
    tmp_path: Path, made: Callable[[], tokenizers.Tokenizer]
) -> None:
    path = write(made(), tmp_path)
    texts = [*PLAIN, *HARD[:-1], "redhund"]
    assert rows_of(opened(path, context=9), texts) == by_the_library(path, texts, 9)


EDITS: list[Callable[[dict[str, Any]], object]] = [
    lambda content: content["normalizer"].update(strip_accents=False),
    lambda content: content["normalizer"].update(clean_text=False),
    lambda content: content.update(normalizer={"type": "Lowercase"}),
    lambda content: content.update(pre_tokenizer={"type": "Whitespace"}),
    lambda content: content.update(post_processor=None),
    lambda content: content["post_processor"].update(single=[{"Sequence": _A}, {"Sequence": _A}]),
    lambda content: content["model"].update(max_input_chars_per_word=4),
    lambda content: content["added_tokens"].append(
        {"id": 8, "content": "dog c", "special": False} | dict.fromkeys(_FLAGS, False)
    ),
]
_A = {"id": "A", "type_id": 0}
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


@pytest.mark.parametrize("edit", EDITS)
def test_what_differs_in_any_part_is_the_librarys(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object]
) -> None:
    path = edited(write(bert(), tmp_path), edit)
    texts = [text for text in PLAIN + HARD[:-1] if text.strip()]
    assert rows_of(opened(path), texts) == by_the_library(path, texts, 16)


def test_another_template_is_followed(tmp_path: Path) -> None:
    def edit(content: dict[str, Any]) -> None:
        mark = {"SpecialToken": {"id": "[SEP]", "type_id": 0}}
        content["post_processor"]["single"] = [mark, mark, {"Sequence": _A}]

    path = edited(write(bert(), tmp_path), edit)
    assert rows_of(opened(path, context=6), PLAIN) == by_the_library(path, PLAIN, 6)
    assert rows_of(opened(path), ["a dog"]) == [[3, 3, VOCABULARY["a"], VOCABULARY["dog"]]]


class TestPadding:
    def test_to_the_longest_of_the_batch(self, file: Path) -> None:
        rows = opened(file, pad_id=4)(["a dog", "Zürich", "the red car!"])
        assert rows.dtype == np.int64
        assert rows.shape == (3, 6)
        assert (rows[0, 4:] == 4).all()
        assert (rows[1, 3:] == 4).all()
        assert rows[2].tolist() == by_the_library(file, ["the red car!"], 16)[0]

    def test_to_the_context_length(self, file: Path) -> None:
        rows = opened(file, padding="max_length", context=10)(["a dog", "a " * 40])
        assert rows.shape == (2, 10)
        assert (rows[0, 4:] == 0).all()
        assert rows[1, -1] == VOCABULARY["[SEP]"]

    def test_of_nothing(self, file: Path) -> None:
        assert opened(file)([]).shape == (0, 16)


def test_clip_needs_no_file() -> None:
    assert isinstance(tokenizer_for(TextSettings(8, "clip-bpe")), Tokenizer)
    with pytest.raises(ValueError, match=r"tokenizer\.json: name it"):
        tokenizer_for(settings())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is not valid JSON", id="empty"),
        pytest.param(b"{", "is not valid JSON", id="cut"),
        pytest.param(b"\xff\xfe\x00", "is not valid JSON", id="binary"),
        pytest.param(b"[" * 100_000, "is not valid JSON", id="deep"),
        pytest.param(b"[]", 'has no "model"', id="array"),
        pytest.param(b'{"do_lower_case": true}', 'has no "model"', id="tokenizer_config.json"),
        pytest.param(b'{"model": "bert"}', 'has no "model"', id="config.json"),
        pytest.param(b'{"model": {"type": "BPE"}}', "cannot read it", id="without a vocabulary"),
        pytest.param(b'{"model": {"type": "Later"}}', "upgrade tokenizers", id="unknown kind"),
    ],
)
def test_a_damaged_or_foreign_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=message) as caught:
        opened(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "fetch the bundle again" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@needs_user
def test_a_file_that_may_not_be_read_is_named(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(file.read_bytes())
    path.chmod(0)
    with pytest.raises(BundleError, match="make it readable"):
        opened(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        opened(tmp_path)


def test_what_is_no_word_piece_is_told_by_its_parts() -> None:
    assert WordPiece.of({}, 8) is None
    assert WordPiece.of({"model": {"type": "WordPiece", "vocab": []}}, 8) is None
