"""A model of one's own in minutes: the whole way from pictures with captions to a search.

Run it with `make train-demo`. It downloads nothing: the pictures are those that installed packages
ship, the teacher is the bundled model. Each step is a command that is printed before it runs, and
what it makes stays in `build/train-demo` to be looked at. Started again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import shlex
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from photosearch import Failed, Library
from photosearch.encoders import bundled_path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from demo import QUERIES, pictures  # noqa: E402 - lies beside this folder

# What else the pictures show, by their names.
MORE = {
    "camera.png": "a man with a camera", "clock_motion.png": "a blurred clock",
    "text.png": "handwriting on lined paper", "cheetah.jpg": "a cheetah in the grass",
    "cheetah1.jpg": "a cheetah", "cheetah2.jpg": "a spotted big cat", "groot.jpeg": "a tree man",
    "tower.jpg": "a tower",
}  # fmt: skip
SIDE = 224


def captions() -> dict[str, str]:
    """A caption for each picture that has one, by its name."""
    return MORE | {name: query for query, names in QUERIES.items() for name in names}


def crops(path: Path, count: int) -> Iterator[bytes]:
    """Parts of a picture as JPEG, the same ones each time: as if it had been taken more often."""
    draw = random.Random(path.name)  # noqa: S311 - drawn the same each time
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    for _ in range(count):
        side = int(min(photo.size) * draw.uniform(0.6, 1.0))
        left, top = draw.randint(0, photo.width - side), draw.randint(0, photo.height - side)
        data = io.BytesIO()
        part = photo.crop((left, top, left + side, top + side)).resize((SIDE, SIDE))
        part.save(data, "JPEG", quality=90)
        yield data.getvalue()


def write_pictures(out: Path, count: int, most: int) -> int:
    """The gallery with its captions.csv, and a tar of one held-out part of each picture."""
    known = captions()
    shipped = [path for path in pictures() if path.name in known][:most]
    gallery = out / "gallery"
    gallery.mkdir(parents=True, exist_ok=True)
    with (
        tarfile.open(out / "held-out.tar", "w") as held,
        (out / "captions.csv").open("w", newline="", encoding="utf-8") as listed,
    ):
        rows = csv.writer(listed)
        rows.writerow(("file", "caption"))
        for path in shipped:
            for number, data in enumerate(crops(path, count + 1)):
                name = f"{path.stem}-{number}"
                if number:
                    (gallery / f"{name}.jpg").write_bytes(data)
                    rows.writerow((f"{name}.jpg", known[path.name]))
                    continue
                about = json.dumps({"captions": [known[path.name]]}).encode()
                for suffix, content in (("jpg", data), ("json", about)):
                    info = tarfile.TarInfo(f"{name}.{suffix}")
                    info.size = len(content)
                    held.addfile(info, io.BytesIO(content))
    return len(shipped)


def run(step: str, *arguments: str | Path) -> None:
    """Print what a step is and its command, and run it; ends the demo when it fails."""
    told = [str(argument) for argument in arguments]
    print(f"\n{step}\n\n    {shlex.join(['photosearch-trainer', *told])}\n", flush=True)
    with subprocess.Popen([sys.executable, "-m", "trainer", *told]) as command:
        try:
            code = command.wait()
        except KeyboardInterrupt:
            # Ctrl-C went to the command, too, which keeps what it has done before it ends.
            command.wait()
            raise
    if code:
        sys.exit(code)


def ask(bundle: Path, out: Path) -> tuple[int, int]:
    """How many queries of the demo find their picture first with the new model, and of how many."""
    known = {path.name: path for path in pictures()}
    place = out / "searched"
    place.mkdir(exist_ok=True)
    shown = {name for query, names in QUERIES.items() for name in names if name in known}
    for name in shown:
        (place / name).write_bytes(known[name].read_bytes())
    right = asked = 0
    with Library.open(out / "library", model=bundle) as library:
        for event in library.index([place], workers=1):
            if isinstance(event, Failed):
                print(f"Skipped {event.path}: {event.reason}")
        for query, names in QUERIES.items():
            if not names & shown:
                continue
            hits = library.search(query, limit=1, literal=True)
            found = Path(hits[0].path).name if hits else "nothing"
            asked += 1
            right += found in names
            print(f"  {'right' if found in names else 'WRONG'}  {query:<21}{found}")
    return right, asked


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("build/train-demo"))
    parser.add_argument("--crops", type=int, default=10, help="parts of each picture")
    parser.add_argument("--pictures", type=int, default=1000, help="how many at most")
    parser.add_argument(
        "--set", action="append", default=[], help="as of photosearch-trainer train"
    )
    given = parser.parse_args(arguments)
    out, begun = given.out, time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    count = write_pictures(out, given.crops, given.pictures)
    if count < 2:
        print("No pictures to learn from; pip install '.[demo]'", file=sys.stderr)
        return 1
    print(f"{count} pictures in {given.crops} parts each, and one of each held out")
    run(
        "1/4 The bundled model looks at five views of each, and that is stored beside it",
        "reinforce", out / "gallery", "--captions", out / "captions.csv",
        "--teacher", f"bundle:{bundled_path()}", "--views", "5", "--whole-first",
        "--crop-scale", "0.5", "1", "--randaugment-ops", "1", "--out", out / "shards",
    )  # fmt: skip
    sets = [f"data.train={json.dumps([str(out / 'shards' / '*.tar')])}"]
    sets += [f"data.validation={json.dumps([str(out / 'held-out.tar')])}", *given.set]
    run(
        "2/4 A small network learns what it said",
        "train", HERE / "recipe.toml", *(one for each in sets for one in ("--set", each)),
        "--out", out / "run",
    )  # fmt: skip
    run(
        "3/4 It is exported, and compared with what it was in PyTorch",
        "export", "--run", out / "run", "--card", HERE / "card.toml", "--replace",
        "--out", out / "bundle",
    )  # fmt: skip
    print("\n4/4 It finds pictures\n")
    right, asked = ask(out / "bundle", out)
    minutes = (time.monotonic() - begun) / 60
    place = shlex.join(["--model", str(out / "bundle"), "--library", str(out / "library")])
    print(
        f"\n{right} of {asked} queries find their picture first (by chance one). "
        f"That took {minutes:.1f} minutes.\n"
        f"The curves are in {out / 'run' / 'curves.png'}, the model is {out / 'bundle'}:\n\n"
        f"    photosearch {place} search 'a cat'"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nStopped. Start it again, and it goes on from here.", file=sys.stderr)
        sys.exit(130)
