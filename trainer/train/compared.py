"""Two runs held against each other, by their records and curves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.train.log import Table
from trainer.train.record import read_record
from trainer.train.settings import flat

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Compared:
    """What differs: name and both values. figures: the last ones of each that both have, or one.

    at: the last step that both were evaluated after, and what both had then.
    """

    names: tuple[str, str]
    settings: dict[str, Pair]
    surroundings: dict[str, Pair]
    results: dict[str, Pair]
    figures: dict[str, Pair]
    at: tuple[int, dict[str, Pair]] | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """For people: a table for each part that says something."""
        parts = [
            ("settings that differ", self.settings),
            ("versions, code and machine that differ", self.surroundings),
            ("came to", self.results),
            ("held-out figures at the end", self.figures),
        ]
        if self.at is not None:
            parts.append((f"held-out figures after step {self.at[0]:,}", self.at[1]))
        told = []
        for title, rows in parts:
            if rows:
                told += ["", title]
                told += _table(self.names, rows)
        return told[1:] or ["They do not differ."]


def compared(first: Path, second: Path) -> Compared:
    """Raises `ValueError` naming a folder that holds no record of a run."""
    records = [read_record(folder) for folder in (first, second)]
    settings = [flat(record["settings"]) for record in records]
    around = [flat(_around(record)) for record in records]
    results = [{name: record.get(name) for name in _RESULTS} for record in records]
    figures = [dict(record.get("figures") or {}) for record in records]
    for mine in figures:
        mine.pop("step", None)
    names = first.name, second.name
    if names[0] == names[1]:
        names = str(first), str(second)
    return Compared(
        names,
        _differing(*settings),
        _differing(*around),
        {name: (results[0][name], results[1][name]) for name in _RESULTS},
        _both(*figures),
        _at_common_step(first, second),
    )


_RESULTS = ("step", "finished", "seconds", "loss", "skipped")


def _around(record: dict[str, Any]) -> dict[str, Any]:
    last = record["sessions"][-1]
    kept = ("versions", "code", "device", "processes", "precision")
    return {name: last.get(name) for name in kept}


def _differing(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Pair]:
    return {name: pair for name, pair in _both(left, right).items() if pair[0] != pair[1]}


def _both(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Pair]:
    return {name: (left.get(name), right.get(name)) for name in dict.fromkeys([*left, *right])}


def _at_common_step(first: Path, second: Path) -> tuple[int, dict[str, Pair]] | None:
    rows = [
        {int(row["step"]): row for row in Table(folder / "validation.csv").rows()}
        for folder in (first, second)
    ]
    common = sorted(rows[0].keys() & rows[1].keys())
    # After the last step of both it has been said already.
    if not common or common[-1] == max(rows[0]) == max(rows[1]):
        return None
    step = common[-1]
    pairs = _both(rows[0][step], rows[1][step])
    pairs.pop("step")
    return step, pairs


def _table(names: tuple[str, str], rows: dict[str, Pair]) -> list[str]:
    cells = [("", *names, "")]
    for name, (left, right) in rows.items():
        numbers = all(isinstance(value, int | float) for value in (left, right))
        change = f"{right - left:+.4g}" if numbers and left != right else ""
        cells.append((name, _shown(left), _shown(right), change))
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def draw_both(first: Path, second: Path, path: Path) -> None:
    """The losses and held-out figures of both runs over steps, as a PNG."""
    from matplotlib.figure import Figure

    tables = {
        folder: (Table(folder / "training.csv").rows(), Table(folder / "validation.csv").rows())
        for folder in (first, second)
    }
    validation = [name for _, rows in tables.values() for name in (rows or [{}])[-1]]
    curves = ["loss", *dict.fromkeys(name for name in validation if name != "step")]
    figure = Figure(figsize=(8, 2.4 * len(curves)), layout="constrained")
    axes = figure.subplots(len(curves), squeeze=False, sharex=True)[:, 0]
    for axis, name in zip(axes, curves, strict=True):
        for folder, (training, held_out) in tables.items():
            rows = [row for row in (training if name == "loss" else held_out) if name in row]
            axis.plot([row["step"] for row in rows], [row[name] for row in rows], label=folder.name)
        axis.set_ylabel(name.replace("_", " "))
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small")
    axes[-1].set_xlabel("step")
    figure.savefig(path, format="png", dpi=110)
