"""Measured figures on named data, as records for bundle.json and as tables for people.

A figure never stands without the data it was measured on, its gallery size, interval and chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from trainer.evaluate.figure import Figure
from trainer.evaluate.retrieval import Retrieval


@dataclass(frozen=True)
class Measure:
    """One figure of one task on one data set.

    `gallery` is how many candidates each query ranks: photos, captions or, in classification,
    class names. It is None where nothing is ranked.
    """

    data: str
    task: str
    figure: Figure
    queries: int
    gallery: int | None = None

    def record(self) -> dict[str, Any]:
        """The JSON form, as bundle.json's "metrics" holds it."""
        figure = self.figure
        return {
            "data": self.data,
            "task": self.task,
            "metric": figure.name,
            "value": figure.value,
            "interval_95": [figure.low, figure.high],
            "chance": figure.chance,
            "gallery": self.gallery,
            "queries": self.queries,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Measure:
        """The measure that `record` was made from. Raises `ValueError` when a part is missing."""
        try:
            low, high = record["interval_95"]
            figure = Figure(record["metric"], record["value"], low, high, record["chance"])
            return cls(record["data"], record["task"], figure, record["queries"], record["gallery"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a metric's record ({error!r}): {record}") from error


def retrieval_measures(data: str, result: Retrieval) -> list[Measure]:
    """Every figure of both directions."""
    return [
        Measure(data, direction.name, figure, direction.queries, direction.gallery)
        for direction in (result.text_to_photo, result.photo_to_text)
        for figure in direction.figures
    ]


def markdown(measures: Iterable[Measure]) -> str:
    """A table for each data set, under its name; neighbours of one data set share a table."""
    parts = []
    for data, group in groupby(measures, key=lambda measure: measure.data):
        rows = [_cells(measure) for measure in group]
        parts.append(f"Measured on `{data}`:\n\n{_table(_HEADINGS, rows)}\n")
    return "\n".join(parts)


# Figures that are read as percentages; cosines, rank correlations and AUROC are not.
_SHARES = (
    "R@",
    "mean R@",
    "top-",
    "mean per-class recall",
    "macro F1",
    "worst-group",
    "Jaccard",
    "average",
)
_HEADINGS = ("Task", "Metric", "Value", "95% interval", "Chance", "Gallery", "Queries")


def _cells(measure: Measure) -> tuple[str, ...]:
    figure = measure.figure

    def show(value: float) -> str:
        if figure.name.startswith(_SHARES):
            return f"{100 * value:.1f}%"
        if figure.name == "median rank":
            return f"{value:.0f}"
        return f"{value:.1f}" if figure.name == "mean rank" else f"{value:.3f}"

    return (
        measure.task,
        figure.name,
        show(figure.value),
        f"{show(figure.low)} to {show(figure.high)}",
        show(figure.chance),
        "none" if measure.gallery is None else f"{measure.gallery:,}",
        f"{measure.queries:,}",
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, padded so that it reads well in a terminal too; numbers from the third column."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if place < 2 else "-" * (width - 1) + ":" for place, width in enumerate(widths)
    ]
    return "\n".join([line(headings), line(rule), *map(line, rows)])
