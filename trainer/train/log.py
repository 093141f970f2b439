"""What a run writes while it goes: two CSV files, a plot of them, and what other loggers make."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.train.loggers import Logger


class Table:
    """A CSV file of numbers with a row for each of some steps; the first column is the step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[dict[str, float]]:
        """All whole rows; an empty cell is left out."""
        if not self.path.is_file():
            return []
        with self.path.open(newline="") as file:
            read = list(csv.DictReader(file))
        # A kill in the middle of a write leaves a row with missing cells.
        whole = [row for row in read if None not in row.values()]
        return [{name: float(cell) for name, cell in row.items() if cell} for row in whole]

    def forget_after(self, step: int) -> None:
        """Drop the rows of later steps: a run that goes on from `step` will write them again."""
        if not self.path.is_file():
            return
        with self.path.open(newline="") as file:
            header, *rows = list(csv.reader(file)) or [[]]
        kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
        if not kept:
            self.path.unlink()
            return
        beside = self.path.with_name(f"{self.path.name}.part")
        with beside.open("w", newline="") as file:
            csv.writer(file).writerows([header, *kept])
        beside.replace(self.path)

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row, and the header before the first."""
        row = {"step": step} | {name: f"{value:.6g}" for name, value in values.items()}
        fresh = not self.path.is_file()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)


class Log:
    """`training.csv`, `validation.csv` and `curves.png` in a run's folder.

    `loggers` are told the same figures, and closed in the end.
    """

    def __init__(self, folder: Path, loggers: Sequence[Logger] = ()) -> None:
        self.training = Table(folder / "training.csv")
        self.validation = Table(folder / "validation.csv")
        self._plot = folder / "curves.png"
        self._loggers = loggers

    def go_on_from(self, step: int) -> None:
        """Forget what was written after the checkpoint of `step`."""
        self.training.forget_after(step)
        self.validation.forget_after(step)

    def train(self, step: int, values: Mapping[str, float]) -> None:
        self.training.append(step, values)
        self._show("training", step, values)

    def validate(self, step: int, values: Mapping[str, float]) -> None:
        self.validation.append(step, values)
        self._show("validation", step, values)

    def plot(self) -> None:
        """Draw what the CSV files hold."""
        plot_curves(self.training.rows(), self.validation.rows(), self._plot)

    def close(self) -> None:
        for logger in self._loggers:
            logger.close()

    def _show(self, group: str, step: int, values: Mapping[str, float]) -> None:
        for logger in self._loggers:
            logger.scalars(group, step, values)


# Not worth a curve of their own.
_ASIDE = ("step", "items", "seconds", "per_second")


def plot_curves(
    training: list[dict[str, float]], validation: list[dict[str, float]], path: Path
) -> None:
    """Draw losses, learning rate and held-out figures over steps as a PNG, one below the other."""
    # Without pyplot, which would look for a screen and keep the figure.
    from matplotlib.figure import Figure

    names = list(training[-1]) if training else []
    losses = [name for name in names if "loss" in name]
    panels = [
        ("loss", training, losses),
        *((name, training, [name]) for name in names if name not in (*losses, *_ASIDE)),
        ("held out", validation, [n for n in (validation or [{}])[-1] if n not in _ASIDE]),
    ]
    panels = [panel for panel in panels if panel[1] and panel[2]]
    if not panels:
        return
    figure = Figure(figsize=(8, 2.6 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), squeeze=False, sharex=True)[:, 0]
    for axis, (label, rows, curves) in zip(axes, panels, strict=True):
        for name in curves:
            known = [row for row in rows if name in row]
            axis.plot([row["step"] for row in known], [row[name] for row in known], label=name)
        axis.set_ylabel(label.replace("_", " "))
        axis.grid(alpha=0.3)
        if len(curves) > 1:
            axis.legend(fontsize="small")
    axes[-1].set_xlabel("step")
    beside = path.with_name(f".{path.name}")
    figure.savefig(beside, format="png", dpi=110)
    beside.replace(path)
