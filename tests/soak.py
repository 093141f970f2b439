"""A day of use in an hour: watch a large folder while all that can happen to it does.

    PYTHONPATH=.:tests python tests/soak.py [--photos 20000] [--minutes 60]

Photos come, move, change and go, the drive is away for a while, the model is switched, searches
run, and processes are killed. At the end the library has to equal one that is made anew, and
memory, descriptors and threads of `watch` have to be as they were in the beginning: the most in a
tenth of the minutes each, and at least three, since it may have begun anew just before. Prints a
line each minute, and ends with 1 when anything is otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faults.box import Box
from faults.models import write_models
from faults.state import State, state_of
from PIL import Image

from photosearch import Library
from photosearch.errors import PhotosearchError

REPOSITORY = Path(__file__).parents[1]
# What may grow: SQLite's cache, and what the allocator keeps.
_MEMORY, _FEW = 1.3, 8
# What may be said to whoever changes the library: another does, or the photo is damaged now.
_IN_ITS_WAY = ("being changed", "writing to it", "its bytes are not known")


@dataclass(frozen=True)
class Taken:
    """What a process takes: bytes of memory, descriptors, threads."""

    memory: int
    descriptors: int
    threads: int

    @classmethod
    def by(cls, process: int) -> Taken:
        said = dict(
            line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines()
        )
        return cls(
            int(said["VmRSS"].split()[0]) << 10,
            len(os.listdir(f"/proc/{process}/fd")),
            int(said["Threads"]),
        )

    @classmethod
    def most(cls, some: Sequence[Taken]) -> Taken:
        """The most of each, whenever that was."""
        return cls(
            max(one.memory for one in some),
            max(one.descriptors for one in some),
            max(one.threads for one in some),
        )

    def __str__(self) -> str:
        return f"{self.memory >> 20} MiB, {self.descriptors} files, {self.threads} threads"


class Soak:
    """The folder, the library and the processes of one run."""

    def __init__(self, work: Path, photos: int, seed: int) -> None:
        self.box = Box(work, write_models(work / "models"))
        self.how = random.Random(seed)
        self.done: Counter[str] = Counter()
        self._made = 0
        self._away = work / "away"
        self.box.out.mkdir()
        for number in range(max(1, photos // 200)):
            (self.box.photos / f"{number:03}").mkdir(parents=True)
        for _ in range(photos):
            self.come()
        with Library.open(self.box.library) as library:
            library.models.use(self.box.model)
            # From now on it is known, and may be away when `watch` is started.
            for _ in library.index([self.box.photos]):
                pass
        self.done.clear()
        self.watch = self._watch()

    # What happens to the photos

    def _folder(self) -> Path:
        return self.how.choice(sorted(self.box.photos.iterdir()))

    def _photo(self) -> Path | None:
        found = sorted(self._folder().iterdir())
        return self.how.choice(found) if found else None

    def come(self) -> None:
        self._made += 1
        pixels = np.random.default_rng(self._made).integers(0, 256, (4, 6, 3), np.uint8)
        Image.fromarray(pixels).save(self._folder() / f"{self._made:06}.png")

    def copy(self) -> None:
        if photo := self._photo():
            shutil.copy2(photo, self._folder() / f"copy {self.done['copy']} {photo.name}")

    def move(self) -> None:
        if photo := self._photo():
            photo.replace(self._folder() / photo.name)

    def change(self) -> None:
        if photo := self._photo():
            photo.write_bytes(photo.read_bytes() + b"\0")

    def damage(self) -> None:
        if photo := self._photo():
            photo.write_bytes(photo.read_bytes()[:20])

    def go(self) -> None:
        if photo := self._photo():
            photo.unlink()

    # What happens to the library, its drive, and its processes

    def unplug(self) -> None:
        """The drive is away for some seconds."""
        self.box.photos.rename(self._away)
        time.sleep(5)
        self._away.rename(self.box.photos)

    def search(self) -> None:
        with Library.open(self.box.library, readonly=True) as library:
            library.search(self.how.choice(("red", "a blue wall", "in:Rome", "type:png")))

    def mark(self) -> None:
        with Library.open(self.box.library) as library:
            if hits := list(library.search("type:png", limit=50)):
                photo = self.how.choice(hits).photo_id
                library.marks.rate([photo], self.how.randrange(6))

    def switch(self) -> None:
        name = ("colours", "tiny")[self.done["switch"] % 2]
        folder = self.box.models / name
        subprocess.run(self._command("models", "use", str(folder)), env=self._environment())

    def kill(self) -> None:
        """`watch` is killed, and started again."""
        self.watch.kill()
        self.watch.wait()
        self.watch = self._watch()

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "photosearch", *arguments]

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(REPOSITORY),
            "PHOTOSEARCH_LIBRARY": str(self.box.library),
        }

    def _watch(self) -> subprocess.Popen[bytes]:
        command = self._command("watch", "--quiet", "0.5")
        return subprocess.Popen(command, env=self._environment(), stdout=subprocess.DEVNULL)

    # The day, and its end

    def often(self) -> list[Callable[[], None]]:
        usual = [self.come, self.copy, self.move, self.change, self.damage, self.go]
        return usual * 6 + [self.search, self.mark] * 4 + [self.unplug, self.switch, self.kill]

    def run(self, minutes: float) -> list[Taken]:
        """Do all of that; what `watch` takes each minute."""
        began = told = time.monotonic()
        seen = []
        while time.monotonic() - began < minutes * 60:
            happens = self.how.choice(self.often())
            try:
                happens()
            except PhotosearchError as error:
                if not any(each in str(error) for each in _IN_ITS_WAY):
                    raise
            self.done[happens.__name__] += 1
            time.sleep(0.2)
            if time.monotonic() - told >= 60:
                told = time.monotonic()
                seen.append(Taken.by(self.watch.pid))
                print(f"{(told - began) / 60:.0f} min: {seen[-1]}; {dict(self.done)}", flush=True)
        return seen

    def settle(self) -> None:
        """`watch` ends; one run more takes in what it had not come to."""
        self.watch.send_signal(signal.SIGTERM)
        code = self.watch.wait(60)
        # One that was started just now, and listens to nothing yet, is ended by the signal itself.
        assert code in (0, -signal.SIGTERM), f"watch ended with {code}"
        with Library.open(self.box.library) as library:
            for _ in library.index([self.box.photos]):
                pass

    def differences(self) -> list[str]:
        """Parts of the library that are otherwise than in one made anew by the same model."""
        anew = Box(self.box.folder / "anew", self.box.models)
        with Library.open(self.box.library) as library:
            model = next(one for one in library.models.all() if one.active)
        with Library.open(anew.library) as library:
            library.models.use(self.box.models / model.name)
            for _ in library.index([self.box.photos]):
                pass
        there, expected = self._comparable(self.box, model.id), self._comparable(anew, model.id)
        wrong = []
        for part in expected:
            more, less = there[part] - expected[part], expected[part] - there[part]
            if more or less:
                some = [f"\n+ {row}" for row in sorted(more, key=str)[:3]]
                some += [f"\n- {row}" for row in sorted(less, key=str)[:3]]
                wrong.append(f"{part}: {len(more)} more, {len(less)} less{''.join(some)}")
        for finding in Library.examine(self.box.library):
            if finding.state == "wrong":
                wrong.append(f"doctor: {finding.about}: {finding.text}")
        return wrong

    def _comparable(self, box: Box, model: str) -> State:
        """Without what is gone, other models' vectors, and what only the user gave."""
        state = state_of(box)
        # One whose file has turned bad is a problem, and its row waits for it to be mended.
        bad = {row[0] for row in state["problems"]}
        state["photos"] = {row for row in state["photos"] if not row[6] and row[0] not in bad}
        present = {row[8] for row in state["photos"]}
        state["vectors"] = {
            row for row in state["vectors"] if row[0] in present and row[1] == model
        }
        return {part: state[part] for part in ("folders", "photos", "problems", "vectors")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder).resolve(), given.photos, given.seed)
        try:
            seen = soak.run(given.minutes)
        except BaseException:
            soak.watch.kill()
            raise
        soak.settle()
        wrong = soak.differences()
    told = f"Done: {dict(soak.done)}. "
    if len(seen) > 1:
        # They change with what it does just then.
        tenth = max(3, len(seen) // 10)
        first, last = Taken.most(seen[:tenth]), Taken.most(seen[-tenth:])
        told += f"{first} at first, {last} at the end. "
        grown = (
            last.memory > first.memory * _MEMORY,
            last.descriptors > first.descriptors + _FEW,
            last.threads > first.threads + _FEW,
        )
        if any(grown):
            wrong.append("that is more than in the beginning")
    print(told + ("; ".join(wrong) or "The library equals one made anew."))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
