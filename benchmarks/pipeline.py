"""How fast photos are indexed, against rclip and against decoding alone, in the same run.

Programs are run as their users run them, as one command each, and all that it takes is counted.
Beside that stands what they do once they run: of each what the same command takes for one photo is
taken off.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import decoding_alone
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.pictures import write_photos
from benchmarks.rclip import Rclip, prepare_rclip
from benchmarks.tables import figure, fill_page, markdown_table, save_figure, write_text
from benchmarks.timing import Spread, cores, count, interleave, machine
from photosearch.bench.processes import Spent, spend
from photosearch.encoders import Bundle, Preprocess, bundled_path
from trainer.export.bundle import export_bundle
from trainer.models.config import load_config
from trainer.models.family import build
from trainer.models.tokens import text_facts, tokenizer_file

S0 = CONTENDERS[1]
BUNDLED, RCLIP, FACES, DECODING = "bundled", "rclip", "faces", "decoding"
LABELS = {
    RCLIP: "rclip, ViT-B/32 at 256 pixels",
    BUNDLED: "photosearch, MobileCLIP-Small (bundled)",
    FACES: "the same, and faces",
    S0.name: "photosearch, MobileCLIP-S0",
    DECODING: "decoding alone",
}
# Grain as of a phone's sensor: without it a JPEG of 12 megapixels is a third as large, and quicker.
GRAIN = 6.0


@dataclass(frozen=True)
class Indexing:
    """Of each program, by name: what each round took for `photos` photos, and for one alone."""

    photos: int
    rounds: Mapping[str, list[Spent]]
    alone: Mapping[str, list[Spent]]

    def seconds(self, name: str) -> NDArray[np.float64]:
        return np.array([spent.seconds for spent in self.rounds[name]])

    def cpu_seconds(self, name: str) -> NDArray[np.float64]:
        return np.array([spent.cpu_seconds for spent in self.rounds[name]])

    def running_seconds(self, name: str) -> NDArray[np.float64]:
        """Without what the first photo takes, and all that comes with it."""
        return self.seconds(name) - np.array([spent.seconds for spent in self.alone[name]])

    def running_cpu_seconds(self, name: str) -> NDArray[np.float64]:
        alone = np.array([spent.cpu_seconds for spent in self.alone[name]])
        return self.cpu_seconds(name) - alone

    def share(self, name: str) -> Spread:
        """Of the photos a second that are decoded where nothing else is done, once both run."""
        return Spread.of(self.running_seconds(DECODING) / self.running_seconds(name))

    def share_of_work(self, name: str) -> Spread:
        """The part of the processor time that decoding alone takes, too, once both run."""
        return Spread.of(self.running_cpu_seconds(DECODING) / self.running_cpu_seconds(name))

    def peak(self, name: str) -> float:
        """Megabytes, the most of all rounds."""
        return max(spent.peak_bytes for spent in self.rounds[name]) / 1e6

    def times_faster(self, name: str) -> Spread:
        return Spread.of(self.seconds(RCLIP) / self.seconds(name))

    def times_faster_running(self, name: str) -> Spread:
        return Spread.of(self.running_seconds(RCLIP) / self.running_seconds(name))

    def times_less_work(self, name: str) -> Spread:
        """The same by processor time, which other programs on the machine hardly change."""
        return Spread.of(self.cpu_seconds(RCLIP) / self.cpu_seconds(name))


def run(folder: Path, out: Path, program: Path | None, *, photos: int, rounds: int) -> None:
    """Measure, print the tables, and write them with a plot to `out`.

    Photos and models go to `folder`; photos that are there from before are taken as they are.
    Without rclip's `program` the bundled model is measured beside decoding alone, and nothing is
    written.
    """
    pictures = folder / f"photos-{photos}"
    if not pictures.is_dir():
        print("  writing photos", flush=True)
        write_photos(pictures.with_suffix(".part"), photos, grain=GRAIN)
        pictures.with_suffix(".part").rename(pictures)
    if program is None:
        models = {BUNDLED: bundled_path()}
        print(f"  {machine()}", flush=True)
        print(beside_decoding(measure(folder, pictures, None, models, rounds=rounds)))
        return
    print("  writing models with random weights", flush=True)
    rclip = prepare_rclip(program, folder / "rclip")
    models = {BUNDLED: bundled_path(), S0.name: random_bundle(S0, folder / "s0")}
    size = sum(file.stat().st_size for file in pictures.iterdir()) / photos
    setting = machine()
    measured = measure(folder, pictures, rclip, models, rounds=rounds)
    print(table(measured))
    print(beside_decoding(measured))
    about = (
        f"{setting} when it started; {count(photos, 'JPEG')} of 12 megapixels and "
        f"{size / 1e6:.1f} MB on average, {rounds} rounds, rclip {rclip.version}"
    )
    write_text(out / "pipeline.md", page(measured, about))
    plot(measured, out / "pipeline.svg")


def measure(
    folder: Path, pictures: Path, rclip: Rclip | None, models: Mapping[str, Path], *, rounds: int
) -> Indexing:
    """Index `pictures`, and one of them alone, by all programs in turns, into `folder`.

    They are decoded alone, too. Without `rclip` faces are left out as well.
    """
    one = folder / "one"
    shutil.rmtree(one, ignore_errors=True)
    one.mkdir()
    # With faces the bundled model is taken, too.
    arms = dict(models)
    if rclip is not None:
        arms = {BUNDLED: models[BUNDLED], FACES: models[BUNDLED], **models}
    side = Preprocess(Bundle.open(models[BUNDLED], verify=False).image).side
    photos = sorted(pictures.iterdir())
    shutil.copyfile(photos[0], one / photos[0].name)
    names = (*([] if rclip is None else [RCLIP]), *arms, DECODING)
    whole: dict[str, list[Spent]] = {name: [] for name in names}
    alone: dict[str, list[Spent]] = {name: [] for name in names}

    def theirs(rclip: Rclip, place: Path) -> Spent:
        rclip.database.unlink(missing_ok=True)
        # It indexes when it is asked for something.
        search = rclip.command("--filepath-only", "a dog")
        return spend(search, cwd=place, environment=rclip.environment)

    def ours(name: str, place: Path) -> Spent:
        library = folder / "library"
        shutil.rmtree(library, ignore_errors=True)
        command = [sys.executable, "-m", "photosearch", "--library", str(library)]
        command += ["--model", str(arms[name]), "index", str(place)]
        environment = os.environ | {"PHOTOSEARCH_FACES": str(name == FACES).lower()}
        return spend(command, environment=environment)

    def both(name: str, index: Callable[[Path], Spent]) -> float:
        alone[name].append(index(one))
        whole[name].append(index(pictures))
        return whole[name][-1].seconds

    runs: dict[str, Callable[[], float]] = {}
    if rclip is not None:
        runs[RCLIP] = partial(both, RCLIP, partial(theirs, rclip))
    runs |= {name: partial(both, name, partial(ours, name)) for name in arms}
    runs[DECODING] = partial(
        both, DECODING, lambda place: spend(decoding_alone.command(place, side))
    )
    interleave(runs, rounds=rounds)
    return Indexing(len(photos), whole, alone)


def random_bundle(contender: Contender, folder: Path) -> Path:
    """A bundle of the family's model with random weights, made by the trainer's export."""
    config = load_config(contender.name)
    settings = config.image
    fields = {
        "name": f"{contender.name.lower()}-random",
        "version": "1",
        "architecture": contender.name,
        "embedding_dim": config.dim,
        "image": {
            "size": settings.size,
            "resize": settings.resize,
            "crop": settings.crop,
            "interpolation": settings.interpolation,
            "mean": list(settings.mean),
            "std": list(settings.std),
        },
        "text": text_facts(config.text),
        "logit_scale": 100.0,
        "calibration": None,
        "licence": "Apache-2.0",
        "provenance": {"weights": "random, for measuring speed"},
        "metrics": [],
    }
    torch.manual_seed(0)
    model = build(contender.name).eval()
    card = "# Random weights\n"
    export_bundle(
        model.visual,
        model.text,
        folder,
        fields=fields,
        card=card,
        tokenizer=tokenizer_file(config.text),
        replace=True,
    )
    return folder


def table(measured: Indexing) -> str:
    head = (
        "program and model",
        "photos/s, all counted",
        "times as fast as rclip",
        "the same by processor time",
        "photos/s once it runs",
        "times as fast as rclip",
        "processor ms a photo, all counted",
        "cores in use",
        "peak memory, MB",
    )
    rows = []
    for name in measured.rounds:
        if name == DECODING:
            continue
        seconds, cpu = measured.seconds(name), measured.cpu_seconds(name)
        rows.append(
            (
                LABELS[name],
                f"{Spread.of(measured.photos / seconds):.1f}",
                f"{measured.times_faster(name):.2f}",
                f"{measured.times_less_work(name):.2f}",
                f"{Spread.of((measured.photos - 1) / measured.running_seconds(name)):.1f}",
                f"{measured.times_faster_running(name):.2f}",
                f"{Spread.of(1e3 * cpu / measured.photos):.0f}",
                f"{Spread.of(cpu / seconds):.2f} of {cores()}",
                f"{measured.peak(name):.0f}",
            )
        )
    return markdown_table(head, rows)


def beside_decoding(measured: Indexing) -> str:
    """The table of what is left of decoding's speed where everything else is done as well."""
    head = (
        "once it runs",
        "photos/s",
        "share of decoding alone",
        "processor ms a photo",
        "share of them that decoding takes",
        "cores in use",
    )
    photos = measured.photos - 1
    rows = []
    for name in (DECODING, BUNDLED, S0.name):
        if name not in measured.rounds:
            continue
        seconds, cpu = measured.running_seconds(name), measured.running_cpu_seconds(name)
        rows.append(
            (
                LABELS[name],
                f"{Spread.of(photos / seconds):.1f}",
                f"{measured.share(name):.2f}",
                f"{Spread.of(1e3 * cpu / photos):.1f}",
                f"{measured.share_of_work(name):.2f}",
                f"{Spread.of(cpu / seconds):.2f} of {cores()}",
            )
        )
    return markdown_table(head, rows)


def page(measured: Indexing, setting: str) -> str:
    """docs/benchmarks/pipeline.md."""
    return fill_page(
        "pipeline.md",
        setting=setting,
        table=table(measured),
        beside=beside_decoding(measured),
        share=f"{measured.share(BUNDLED):.2f}",
        photos=str(measured.photos),
        bundled=f"{measured.times_faster(BUNDLED):.2f}",
        s0=f"{measured.times_faster(S0.name):.2f}",
        bundled_running=f"{measured.times_faster_running(BUNDLED):.2f}",
        s0_running=f"{measured.times_faster_running(S0.name):.2f}",
        bundled_work=f"{measured.times_less_work(BUNDLED):.2f}",
        faces=f"{measured.times_faster(FACES):.2f}",
        faces_work=f"{measured.times_less_work(FACES):.2f}",
        s0_work=f"{measured.times_less_work(S0.name):.2f}",
    )


def plot(measured: Indexing, path: Path) -> None:
    """Photos a second of each program, with the spread of the rounds."""
    names = [name for name in measured.rounds if name != DECODING]
    drawn, (axis,) = figure(1, 0.5 * len(names) + 1, width=7)
    rows = np.arange(len(names))
    spreads = [Spread.of(measured.photos / measured.seconds(name)) for name in names]
    medians = np.array([spread.median for spread in spreads])
    ends = np.array([(spread.low, spread.high) for spread in spreads]).T
    colours = ["#d9822b" if name == RCLIP else "#2f6f9f" for name in names]
    axis.barh(rows, medians, color=colours, xerr=np.abs(ends - medians), error_kw={"elinewidth": 1})
    for row, name in enumerate(names):
        axis.text(ends[1][row], row, f"  {measured.times_faster(name).median:.1f}x", va="center")
    axis.set_yticks(rows, [LABELS[name] for name in names])
    axis.set_xlabel("photos of 12 megapixels a second, all counted, and times rclip")
    axis.margins(x=0.12)
    axis.invert_yaxis()
    save_figure(drawn, path)
