"""What the benchmark of cut-offs without labels says of models of which the answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.calibrating import Model, Row, measure, page, table
from photosearch.encoders import Calibration
from trainer.relevance.asked import Asked

pytestmark = pytest.mark.slow

DIM, KINDS = 200, 60


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def make(name: str, seed: int, strength: float) -> Model:
    """Photos of some kinds, and texts that name them; its calibration was fitted on others."""
    random = np.random.default_rng(seed)
    texts = unit(np.eye(KINDS, DIM))

    def photos(count: int) -> tuple[np.ndarray, np.ndarray]:
        kinds = random.permutation(np.arange(count) % KINDS)
        noise = random.normal(size=(count, DIM)) / np.sqrt(DIM)
        return unit(noise + strength * texts[kinds]), kinds

    background, _ = photos(300)
    images, kinds = photos(300)
    shown = np.arange(KINDS)[:, None] == kinds
    asked = Asked("a thing", texts, images, shown, np.zeros_like(shown))
    calibration = Calibration(
        *(background, 10.0, 30.0, 9.0, -3.0), floor=1.0, growth=0.3, sizes=(20, 500), gap=0.3
    )
    return Model(name, calibration, texts, [asked])


@pytest.fixture(scope="module")
def models() -> list[Model]:
    return [make("one", 0, 0.8), make("other", 1, 0.9)]


@pytest.fixture(scope="module")
def rows(models: list[Model]) -> list[Row]:
    return [row for source in models for row in measure(models[0], source)]


def test_both_calibrations_are_compared(rows: list[Row]) -> None:
    assert [(row.model, row.source) for row in rows] == [("one", "one"), ("one", "other")]
    for row in rows:
        assert [size for size, _ in row.apart] == [20, 100, 500]
        assert row.f1 is not None
        for before, after, lead in (*(figures for _, figures in row.apart), row.f1):
            assert lead.value == pytest.approx(after.value - before.value)
        assert row.apart[0][1][1].value > 0.8
        # The same kind of photos and texts, however much stronger they show.
        assert abs(row.f1[-1].value) < 0.1


def test_the_page_says_what_the_table_does(rows: list[Row], models: list[Model]) -> None:
    said = page(rows, models, [Path("a.tar")], [Path("b.tar")], 50)
    assert table(rows) in said
    assert "one | itself | a thing | 60" in said
    assert "one | other | a thing | 60" in said
    assert "Of 8 differences" in said
    assert "a.tar, and the first 50 photos of b.tar; a thing: 300 photos" in said
