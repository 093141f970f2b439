"""What the relevance benchmark makes of queries of which the answers are known."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.relevance import Flat, Result, measure, page, plot, set_flat
from photosearch.encoders import Calibration
from trainer.relevance.asked import Asked
from trainer.relevance.fit import fit_ratio, with_cutoffs

DIM = 24


def unit(rows: Any) -> Any:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def photos(random: np.random.Generator, kinds: Any) -> Any:
    noise = 0.12 * random.normal(size=(len(kinds), DIM))
    return unit(np.eye(DIM)[0] + 0.8 * np.eye(DIM)[1 + kinds] + noise)


def asked(seed: int) -> Asked:
    """Things, of which some are named by texts that lie nearer to all photos than others do."""
    random = np.random.default_rng(seed)
    kinds, wanted = random.integers(0, 10, 120), np.arange(10).repeat(3)
    near = random.uniform(-0.5, 1.5, (len(wanted), 1))
    texts = unit(np.eye(DIM)[1 + wanted] + near * np.eye(DIM)[0])
    shown = wanted[:, None] == kinds
    return Asked("a thing", texts, photos(random, kinds), shown, np.zeros_like(shown))


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    random = np.random.default_rng(9)
    background = photos(random, random.integers(0, 10, 40))
    return with_cutoffs(fit_ratio([asked(0)], background, 30.0), [asked(1)], lost=0.1)


@pytest.fixture(scope="module")
def flat() -> Flat:
    return set_flat([asked(1)])


@pytest.fixture(scope="module")
def result(calibration: Calibration, flat: Flat) -> Result:
    return measure(asked(2), calibration, flat, asked(2).texts[::7])


def test_the_ratio_leads_where_cosines_do_not_compare(result: Result) -> None:
    for told in result.among:
        cosine, _, ratio, lead = told.apart
        assert lead.value == pytest.approx(ratio.value - cosine.value)
        assert lead.low > 0
        assert told.told[2].value == pytest.approx(told.told[1].value - told.told[0].value)
        assert 0 <= told.hidden <= 0.4
    assert result.f1 is not None
    assert result.f1[-1].low > 0


@pytest.mark.slow
def test_the_page_and_its_plot(
    result: Result, calibration: Calibration, flat: Flat, tmp_path: Path
) -> None:
    written = page([result], flat, calibration, "a model; some photos")
    assert "$" not in written
    rows = [line for line in written.splitlines() if line.startswith("| a thing |")]
    assert len(rows) == 2 * len(result.among) + 1
    assert f"{result.among[0].apart[0].value:.3f} (" in rows[0]
    plot([result], tmp_path / "plot.svg")
    assert ElementTree.parse(tmp_path / "plot.svg").getroot().tag.endswith("svg")
