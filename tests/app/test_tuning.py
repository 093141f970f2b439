"""Photos marked as right and wrong for a query, and what the model learns from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from shell import Shell, message

from index import Catalogue, FileStamp, NewPhoto
from photosearch import Library, UsageError
from photosearch.encoders import open_encoder
from photosearch.search.layer import Layer

QUERY, OTHER = "a dog on a beach", "a red bicycle"
# Photos of either side that are marked, and that are not.
MARKED, LEFT = 8, 6


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def place(tmp_path: Path, tiny_bundle: Path) -> Path:
    """A library where photos like the query are of two kinds, the right and the wrong ones."""
    encoder = open_encoder(tiny_bundle)
    random = np.random.default_rng(3)
    query = encoder.encode_texts([QUERY])[0]
    kinds = random.normal(size=(2, encoder.dim))
    kinds = unit(kinds - (kinds @ query)[:, None] * query)
    near = [
        unit(query + 0.7 * kind + 0.4 * unit(random.normal(size=(MARKED + LEFT, encoder.dim))))
        for kind in kinds
    ]
    vectors = np.concatenate([*near, unit(random.normal(size=(200, encoder.dim)))])
    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.record(
            encoder.bundle_id,
            [
                NewPhoto(
                    f"/{'photos' if number < 28 else 'others'}/{number}.jpg",
                    FileStamp(1, number),
                    4,
                    3,
                    "JPEG",
                    number.to_bytes(32, "big"),
                )
                for number in range(len(vectors))
            ],
            vectors.astype(np.float32),
        )
        catalogue.add_folder("/photos")
    return tmp_path / "library"


@pytest.fixture
def library(place: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(place, model=tiny_bundle) as library:
        yield library


def numbers(library: Library, first: int, count: int) -> list[int]:
    files = [library.photos.file_at(f"/photos/{n}.jpg") for n in range(first, first + count)]
    return [one.id for one in files if one is not None]


def mark_both(library: Library) -> None:
    library.feedback.mark(QUERY, numbers(library, 0, MARKED), right=True)
    library.feedback.mark(f"{QUERY} before:2030", numbers(library, 14, MARKED), right=False)


def ranks(library: Library, text: str, ids: list[int]) -> float:
    """The mean place of photos among all."""
    order = [hit.photo_id for hit in library.search(text, limit=300, everything=True)]
    return float(np.mean([order.index(one) for one in ids]))


def stored(library: Library) -> list[tuple[object, ...]]:
    return library._catalogue._connection.rows("SELECT * FROM embeddings ORDER BY 1, 2")


def test_what_was_not_marked_comes_better_and_all_can_be_taken_back(library: Library) -> None:
    right, wrong = numbers(library, MARKED, LEFT), numbers(library, 14 + MARKED, LEFT)
    before = [ranks(library, text, ids) for text in (QUERY, OTHER) for ids in (right, wrong)]
    vectors = stored(library)
    mark_both(library)
    assert [(one.query, one.fits) for one in library.feedback.all()] == [
        *[(QUERY, True)] * MARKED,
        *[(QUERY, False)] * MARKED,
    ]
    tried = library.feedback.tune(dry_run=True)
    assert tried.helps
    assert not tried.on
    assert library.status().tuned == 0
    assert ranks(library, QUERY, right) == before[0]

    found = library.feedback.tune()
    assert (found.marks, found.queries, found.on) == (2 * MARKED, 1, True)
    assert found.told_after > found.told_before
    assert library.status().tuned == 2 * MARKED
    assert ranks(library, QUERY, right) < before[0]
    assert ranks(library, QUERY, wrong) > before[1]
    # As it is written otherwise, too.
    assert ranks(library, QUERY.upper(), wrong) > before[1]
    assert stored(library) == vectors

    assert library.feedback.revert() is True
    assert library.feedback.revert() is False
    after = [ranks(library, text, ids) for text in (QUERY, OTHER) for ids in (right, wrong)]
    assert after == before
    assert len(library.feedback.all()) == 2 * MARKED


def test_marks_at_random_are_not_switched_on(library: Library) -> None:
    every = [*numbers(library, 0, MARKED), *numbers(library, 14, MARKED)]
    assert not library.feedback.tune().on
    library.feedback.mark(QUERY, every[:5], right=True)
    few = library.feedback.tune()
    assert not few.helps
    assert "too few" in few.reason
    for number, one in enumerate(every):
        library.feedback.mark(QUERY, [one], right=number % 2 == 0)
    mixed = library.feedback.tune()
    assert not mixed.on
    assert "not surely" in mixed.reason
    # What was learned before is no longer what the marks say.
    mark_both(library)
    assert library.feedback.tune().on
    library.feedback.mark(QUERY, every, right=None)
    assert not library.feedback.tune().on
    assert library.status().tuned == 0


def test_a_mark_is_for_one_description_and_a_photo_of_the_library(library: Library) -> None:
    (one,) = numbers(library, 0, 1)
    assert library.feedback.mark('de:"roter Ball" in:Rome', [one], right=True) == 'de:"roter Ball"'
    assert [mark.query for mark in library.feedback.of([one])] == ['de:"roter Ball"']
    for text in ("before:2020", f"photo:{one}", f"dogs + 2:photo:{one}", "-dogs"):
        with pytest.raises(UsageError, match=r"one description|nothing"):
            library.feedback.mark(text, [one], right=True)
    with pytest.raises(UsageError, match="no photo of the id"):
        library.feedback.mark(QUERY, [10**9], right=True)


def test_forgotten_photos_take_their_marks_with_them(library: Library) -> None:
    mark_both(library)
    assert library.feedback.tune().on
    library.forget("/photos")
    assert library.feedback.all() == []
    status = library.status()
    assert (status.judged, status.tuned) == (0, 0)


def test_marks_travel_with_the_library(library: Library, tmp_path: Path, tiny_bundle: Path) -> None:
    mark_both(library)
    library.feedback.tune()
    library.export(tmp_path / "library.zip")
    Library.import_from(tmp_path / "library.zip", tmp_path / "other", model=tiny_bundle)
    with Library.open(tmp_path / "other", model=tiny_bundle) as other:
        assert len(other.feedback.all()) == 2 * MARKED
        assert other.status().tuned == 2 * MARKED


def ok(shell: Shell, *arguments: str) -> str:
    done = shell(*arguments)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_commands(place: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path, tiny_bundle)
    with Library.open(place, model=tiny_bundle) as library:
        right, wrong = numbers(library, 0, MARKED), numbers(library, 14, MARKED)
    ok(shell, "mark", *map(str, right), "--right", QUERY)
    said = ok(shell, "mark", *[f"photo:{one}" for one in wrong], "--wrong", QUERY)
    assert f"{2 * MARKED} marks in all" in said
    listed = json.loads(ok(shell, "mark", "--list", "--json"))["marks"]
    assert {one["query"] for one in listed} == {QUERY}
    assert sum(one["right"] for one in listed) == MARKED
    assert "16 marks to learn from" in ok(shell, "status")
    assert "Nothing was changed" in ok(shell, "tune", "--dry-run")
    assert json.loads(ok(shell, "tune", "--json"))["on"] is True
    assert "Tuned     on, by 16 marks" in ok(shell, "status")
    assert "Switched off" in ok(shell, "tune", "--revert")
    for wrong_use in (("mark", "1"), ("mark", "1", "--right", "a", "--wrong", "b"), ("mark",)):
        assert "--right, --wrong or --clear" in message(shell(*wrong_use), 2)
    assert "not both" in message(shell("tune", "--dry-run", "--revert"), 2)


def test_a_layer_is_read_as_it_was_written_and_nothing_else_is() -> None:
    random = np.random.default_rng(0)
    layer = Layer(
        usual=random.normal(size=4).astype(np.float32),
        reach=0.25,
        queries=unit(random.normal(size=(3, 4))).astype(np.float32),
        toward=random.normal(size=(3, 4)).astype(np.float32),
        easier=random.normal(size=3).astype(np.float32),
    )
    again = Layer.from_bytes(layer.to_bytes(), 4)
    assert again is not None
    texts = unit(random.normal(size=(5, 4))).astype(np.float32)
    assert np.allclose(again.adapt(texts), layer.adapt(texts))
    lines = np.full(5, 0.5)
    assert np.allclose(again.lines(texts, lines), layer.lines(texts, lines))
    assert np.allclose(np.linalg.norm(layer.adapt(texts), axis=1), 1, atol=1e-6)
    for content in (b"", b"\0" * 36, layer.to_bytes()[:-1], b"\xff" * len(layer.to_bytes())):
        assert Layer.from_bytes(content, 4) is None
