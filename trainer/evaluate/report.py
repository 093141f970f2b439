"""What one call of `evaluate` found, as JSON and as Markdown.

report.schema.json describes the JSON; docs/trainer-evaluate.md explains it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.evaluate.datacomp38 import Ran
from trainer.evaluate.measures import Measure, markdown
from trainer.evaluate.speed import Speed


@dataclass
class Report:
    """What was measured, on which files and folders; filled as the parts come in."""

    bundle_id: str
    data: list[Path] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    ran: Ran | None = None
    speed: Speed | None = None

    def add(self, data: Sequence[Path], measures: Sequence[Measure]) -> None:
        """Take in what was measured on `data`."""
        self.data += [path for path in data if path not in self.data]
        self.measures += measures

    def record(self) -> dict[str, Any]:
        """The JSON form. The data sets are read again, for their hashes."""
        record: dict[str, Any] = {
            "bundle": self.bundle_id,
            "data": [_data_record(path) for path in self.data],
            "metrics": [measure.record() for measure in self.measures],
        }
        if self.ran is not None:
            record["datacomp"] = self.ran.record()
        if self.speed is not None:
            record["speed"] = self.speed.record()
        return record

    def markdown(self) -> str:
        """A table for each data set, what the 38 tasks come to, and the timings."""
        measures = list(self.measures)
        if self.ran is not None and self.ran.average is not None:
            measures.append(self.ran.average)
        parts = [markdown(measures)] if measures else []
        if self.ran is not None:
            parts.append(self.ran.sentence() + "\n")
        if self.speed is not None:
            parts.append(self.speed.markdown())
        return "\n".join(parts)


def _data_record(path: Path) -> dict[str, Any]:
    if path.is_file():
        return {"file": path.name, "sha256": _sha256(path)}
    # Hidden files are what file managers leave behind; none is read as data.
    files = sorted(
        each.relative_to(path)
        for each in path.rglob("*")
        if each.is_file() and not each.name.startswith(".")
    )
    listing = "".join(f"{_sha256(path / name)}  {name.as_posix()}\n" for name in files)
    digest = hashlib.sha256(listing.encode()).hexdigest()
    return {"folder": path.absolute().name, "files": len(files), "sha256": digest}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_reports(paths: Sequence[Path]) -> tuple[str | None, list[dict[str, Any]]]:
    """The id of the bundle that was measured, None without paths, and all figures.

    Raises `ValueError` for a file that `evaluate --json` did not write, and for different bundles.
    """
    measured, records = set(), []
    for path in paths:
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            measured.add(str(report["bundle"]))
            records += list(report["metrics"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: not written by `evaluate --json` ({error!r})") from None
    if len(measured) > 1:
        raise ValueError(f"--metrics: of different bundles, {' and '.join(sorted(measured))}")
    return (measured.pop() if measured else None), records
