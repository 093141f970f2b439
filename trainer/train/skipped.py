"""What a run could not read and left out: `skipped.csv` in its folder, a row for each."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

# A reason may hold what a file held.
_LONGEST = 500


class Skipped:
    """The photos left out by one process; those of the others are in `skipped-RANK.csv`."""

    def __init__(self, folder: Path, rank: int) -> None:
        self._path = folder / (f"skipped-{rank}.csv" if rank else "skipped.csv")
        self.count = 0

    def go_on_from(self, step: int) -> None:
        """Forget what was written after the checkpoint of `step`."""
        if not self._path.is_file():
            return
        with self._path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if len(row) == 2 and row[0].isdecimal()]
        kept = [row for row in rows if int(row[0]) <= step]
        self.count = len(kept)
        beside = self._path.with_name(f"{self._path.name}.part")
        with beside.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("step", "reason"), *kept])
        beside.replace(self._path)

    def add(self, step: int, reasons: Iterable[str]) -> None:
        """Note what was left out of the batch of `step`, counted from 1."""
        rows = [(step, " ".join(reason.split())[:_LONGEST]) for reason in reasons]
        if not rows:
            return
        fresh = not self._path.is_file()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", newline="", encoding="utf-8", errors="replace") as file:
            csv.writer(file).writerows([("step", "reason"), *rows] if fresh else rows)
        self.count += len(rows)
