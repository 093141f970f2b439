"""Tries a job with one fault after another, and looks at what has become of everything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from faults.box import Box, Job
from faults.failing import ERRORS, KILL, Ended, FailingRuns, Fault
from faults.state import FILES, State, left_over, photos_of, state_of
from index import CatalogueError, WriterLock
from photosearch import Library
from photosearch.errors import PhotosearchError

_NAMES = ("a.png", "b.png", "c.png", "d.png", "e.png", "below/f.png", "below/g.png")
_SIDECAR = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="1"/></rdf:RDF></x:xmpmeta>"""


@dataclass
class Tally:
    """What became of a job's faults: how many were tried, and what went wrong at which."""

    job: str
    tried: int = 0
    killed: int = 0
    # The fault cost nothing: the run did its work all the same.
    unhurt: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def survived(self) -> int:
        return self.tried - len({text.split(" | ")[0] for text in self.wrong})


class Sweep:
    """The faults of one job, in the box of `runs`."""

    def __init__(self, job: Job, models: Path, runs: FailingRuns) -> None:
        self.job = job
        self.box = Box(runs.box, models)
        self._runs = runs
        self._before_folder = runs.box.with_name("before")
        self._make()
        self.before, self.photos = state_of(self.box), photos_of(self.box)
        self.calls = self._done_once()
        self.after = state_of(self.box)
        assert job.older or self.after != self.before

    def _make(self) -> None:
        for folder in (self.box.folder, self._before_folder):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.box.photos / "below", self.box.out, self.box.folder / "tmp"):
            folder.mkdir(parents=True)
        how = np.random.default_rng(1)
        for name in _NAMES:
            pixels = how.integers(0, 256, (4, 6, 3), np.uint8)
            Image.fromarray(pixels).save(self.box.photos / name)
        (self.box.photos / "b.png.xmp").write_text(_SIDECAR)
        self.job.prepare(self.box)
        shutil.copytree(self.box.folder, self._before_folder, symlinks=True)

    def _done_once(self) -> dict[str, int]:
        """What is called without a fault: the first of a number that is never reached."""
        ended = self._runs.run(self.job.run(self.box), Fault("open", 1 << 40, KILL))
        assert ended.code == 0, ended.errors
        assert photos_of(self.box) == self.photos
        return dict(ended.calls)

    def restore(self) -> None:
        shutil.rmtree(self.box.folder)
        shutil.copytree(self._before_folder, self.box.folder, symlinks=True)

    def faults(self) -> Iterator[Fault]:
        """Each kind of fault at each call that is made, and at some more, for runs differ."""
        for kind, errors in ERRORS.items():
            for error in errors:
                for number in range(1, self.calls[kind] + 1):
                    yield Fault(kind, number, error)

    def attempt(self, fault: Fault, tally: Tally) -> None:
        """One run with one fault, and one without."""
        self.restore()
        ended = self._runs.run(self.job.run(self.box), fault)
        tally.tried += 1
        tally.killed += ended.code == -9
        for what in self._wrong(fault, ended, tally):
            tally.wrong.append(f"{self.job.name}: {fault} | {what}")

    def _wrong(self, fault: Fault, ended: Ended, tally: Tally) -> Iterator[str]:
        if ended.code not in ((-9,) if fault.error == KILL else (0, 1, 2)) and not (
            fault.error == KILL and ended.code == 0
        ):
            yield f"ended with {ended.code}: {ended.errors[-300:]}"
        if "Traceback" in ended.errors or "failed unexpectedly" in ended.errors:
            yield f"is not explained: {ended.errors[-700:]}"
        if photos_of(self.box) != self.photos:
            yield "a photo has changed"
        if self.job.leaves_out and ended.code == 1 and "left out " in ended.errors:
            return
        found = state_of(self.box)
        if self.job.atomic and found not in (self.before, self.after):
            yield f"is between: {self._differences(found)}"
        elif between := self._between(found, fault):
            yield f"is neither as before nor as after: {between}"
        # A catalogue that was just begun, or is still of another schema, is none to look at.
        new = not (self._before_folder / "library" / "catalogue.db").exists()
        if not self.job.unsound and not ((self.job.older or new) and found == self.before):
            yield from self._doctor()
        if found == self.after:
            tally.unhurt += ended.code == 0
        if found != self.after or self.job.unsound:
            if found != self.after and ended.code == 0 and self.job.atomic:
                yield f"says that it is done: {self._differences(found)}"
            again = self._runs.run(self.job.run(self.box))
            if again.code != 0:
                yield f"the next run ended with {again.code}: {again.errors[-300:]}"
            elif state_of(self.box) != self.after:
                yield f"the next run did not end it: {self._differences(state_of(self.box))}"
            if photos_of(self.box) != self.photos:
                yield "a photo has changed in the next run"
            yield from self._doctor()
        if self._left():
            # Beside the photos only those that write there look for it.
            self._runs.run(self.job.run(self.box))
            if found == self.after and state_of(self.box) != self.after:
                yield f"another run changed it: {self._differences(state_of(self.box))}"
        if left := self._left():
            yield f"is left over: {sorted(left)}"

    def _left(self) -> set[str]:
        """What is left when the next that writes has removed what it can."""
        with suppress(CatalogueError):
            if self.box.library.is_dir():
                with WriterLock(self.box.library).held():
                    pass
        return left_over(self.box)

    def _between(self, found: State, fault: Fault) -> str:
        for part, rows in found.items():
            if part == "problems":
                # What cannot be read just now is listed, with the reason, and tried again.
                rows = {row for row in rows if row[-1] != os.strerror(fault.error)}
            strange = set() if self.job.steps else rows - self.before[part] - self.after[part]
            lost = (self.before[part] & self.after[part]) - rows
            if part in FILES:
                # Under its name there is a file at each moment.
                names = _names(self.before[part]) & _names(self.after[part])
                lost |= {(name,) for name in names - _names(rows)}
            if strange or lost:
                return f"{part}: {list(strange)[:2]} are strange, {list(lost)[:2]} are lost"
        return ""

    def _differences(self, found: State) -> str:
        lines = []
        for part in found:
            more, fewer = found[part] - self.after[part], self.after[part] - found[part]
            if more or fewer:
                lines.append(f"{part}: {str(list(more))[:150]} more, {str(list(fewer))[:150]} less")
        return "; ".join(lines)

    def _doctor(self) -> Iterator[str]:
        if not (self.box.library / "catalogue.db").is_file():
            return
        try:
            for finding in Library.examine(self.box.library, model=self.box.model):
                # The model that an earlier version had is not here.
                if finding.state == "wrong" and not (
                    self.job.older and finding.about != "catalogue"
                ):
                    yield f"doctor: {finding.about}: {finding.text}"
        except PhotosearchError as error:
            yield f"doctor: {error}"


def _names(rows: set[tuple[object, ...]]) -> set[object]:
    return {name for name, *_ in rows}
