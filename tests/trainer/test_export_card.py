"""The model card says what was passed in, all of it, and nothing else."""

from __future__ import annotations

import dataclasses
import re

import pytest

from trainer.evaluate.measures import Measure
from trainer.evaluate.retrieval import Figure
from trainer.export.card import CardFields, DataSource, TeacherModel, render_card

MEASURES = [
    Measure("test.tar", "text to photo", Figure("R@10", 0.684, 0.661, 0.7072, 0.01), 5000, 1000),
    Measure("test.tar", "photo to text", Figure("mean rank", 31.25, 28, 35, 833.5), 1000, 5000),
    Measure("words.txt", "text tower against T", Figure("cosine", 0.9137, 0.9, 0.92, 0.04), 800),
]
FIELDS = CardFields(
    name="tiny",
    version="3",
    summary="Finds photos by their description.",
    details={"Embedding": "384 numbers", "Order": "a|b"},
    intended_use=["Searching one's own photos."],
    not_for=["Deciding anything about people."],
    training=["First this.", "Then that."],
    data=[DataSource("Some photos", "6,091 photos", "the image tower", "research only")],
    teachers=[TeacherModel("A classifier", "features", "Apache-2.0")],
    measures=MEASURES,
    weaknesses=["Cannot read.", "Sees little below 64 pixels."],
    licence="Apache-2.0.",
)


def test_everything_passed_in_is_there():
    card = render_card(FIELDS)
    assert card.startswith("# tiny 3\n\nFinds photos by their description.\n")
    for heading in (
        "Intended use",
        "Not for",
        "How it was trained",
        "Training data",
        "Teachers",
        "Measured quality",
        "Known weaknesses",
        "Licence",
    ):
        assert f"\n## {heading}\n\n" in card
    assert "| Some photos | 6,091 photos | the image tower | research only |" in card
    assert "| A classifier | features | Apache-2.0 |" in card
    assert "First this.\n\nThen that." in card
    assert "- Cannot read.\n- Sees little below 64 pixels." in card
    assert r"| Order | a\|b |" in card


def rows_of(card: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in card.splitlines()]


def test_every_figure_has_its_interval_chance_and_gallery_in_its_row():
    card = render_card(FIELDS)
    rows = rows_of(card)
    assert ["text to photo", "R@10", "68.4%", "66.1% to 70.7%", "1.0%", "1,000", "5,000"] in rows
    assert ["photo to text", "mean rank", "31.2", "28.0 to 35.0", "833.5", "5,000", "1,000"] in rows
    assert [
        "text tower against T",
        "cosine",
        "0.914",
        "0.900 to 0.920",
        "0.040",
        "none",
        "800",
    ] in rows
    assert card.index("`test.tar`") < card.index("68.4%") < card.index("`words.txt`")


def test_no_number_is_invented():
    without = dataclasses.replace(FIELDS, measures=[])
    card = render_card(without)
    assert "Not measured" in card
    given = set(re.findall(r"\d[\d,.]*", repr(without)))
    assert set(re.findall(r"\d[\d,.]*", card)) <= given


def test_a_card_with_gaps_is_refused():
    with pytest.raises(ValueError, match=r"under data, weaknesses$"):
        render_card(dataclasses.replace(FIELDS, data=[], weaknesses=[]))


def test_a_measure_survives_its_record():
    assert [Measure.from_record(measure.record()) for measure in MEASURES] == MEASURES
    with pytest.raises(ValueError, match="'gallery'"):
        Measure.from_record(
            {key: value for key, value in MEASURES[0].record().items() if key != "gallery"}
        )
