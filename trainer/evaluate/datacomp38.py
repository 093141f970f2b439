"""The 38 tasks that MobileCLIP's average is over, and the rule for printing that average.

    ran = summarise({"imagenet1k": Result(figure, photos), ...})
    ran.average                     # None unless every one of the 38 has a result

datacomp38.json holds the tasks, with their source: the name that a data set has in clip_benchmark,
the figure that counts, and the published number of photos and classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any, Literal

from trainer.evaluate.figure import Figure
from trainer.evaluate.measures import Measure

Metric = Literal[
    "top-1",
    "mean per-class recall",
    "mean R@1",
    "macro F1",
    "worst-group top-1",
    "worst-group top-5",
    "Jaccard",
]


@dataclass(frozen=True)
class Task:
    """One of the 38: `size` in photos (WinoGAViL: instances), `metric` the figure that counts.

    `folders` are the names that its data set goes by, without "wds_" and "_test".
    """

    key: str
    title: str
    metric: Metric
    size: int
    folders: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """The figure of a task that counts, and how many photos (or instances) its data set holds."""

    figure: Figure
    size: int


@dataclass(frozen=True)
class Ran:
    """What was run: the tasks without a result, those of another size, and perhaps the average."""

    missing: tuple[str, ...]
    other_size: tuple[str, ...]
    average: Measure | None

    def sentence(self) -> str:
        """What a reader must know, in a sentence or two."""
        total = len(tasks())
        if self.average is None:
            return (
                f"{total - len(self.missing)} of the {total} DataComp tasks ran; "
                "their average is only given when all have."
            )
        whole = f"All {total} DataComp tasks ran."
        if not self.other_size:
            return whole
        return (
            f"{whole} {len(self.other_size)} data sets are not of their published size, so the "
            "average compares with no published one."
        )

    def record(self) -> dict[str, Any]:
        """The JSON form."""
        total = len(tasks())
        return {
            "ran": total - len(self.missing),
            "of": total,
            "missing": list(self.missing),
            "other_size": list(self.other_size),
            "average": self.average.record() if self.average else None,
        }


@cache
def tasks() -> tuple[Task, ...]:
    """The 38 tasks."""
    listed = json.loads(Path(__file__).with_name("datacomp38.json").read_text(encoding="utf-8"))
    return tuple(Task(**(each | {"folders": tuple(each["folders"])})) for each in listed["tasks"])


def find_task(folder_name: str) -> Task | None:
    """The task whose data set lies in a folder of this name; None when it is none of the 38."""
    name = folder_name.removeprefix("wds_").removesuffix("_test").replace("/", "-")
    return next((task for task in tasks() if name in task.folders), None)


def summarise(results: Mapping[str, Result]) -> Ran:
    """What ran, from the result of each task by its key.

    The interval of the average takes the tasks for independent and their errors for normal.
    """
    missing = tuple(task.key for task in tasks() if task.key not in results)
    other_size = tuple(
        task.key for task in tasks() if task.key in results and results[task.key].size != task.size
    )
    if missing:
        return Ran(missing, other_size, None)
    figures = [results[task.key].figure for task in tasks()]
    count = len(figures)
    value = sum(figure.value for figure in figures) / count
    half = sqrt(sum(((figure.high - figure.low) / 2) ** 2 for figure in figures)) / count
    chance = sum(figure.chance for figure in figures) / count
    figure = Figure("average", value, max(value - half, 0), min(value + half, 1), chance)
    queries = sum(results[task.key].size for task in tasks())
    average = Measure("DataComp", f"average of {count} tasks", figure, queries)
    return Ran((), other_size, average)
