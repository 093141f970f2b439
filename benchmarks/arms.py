"""Plain CLIP training and reinforced training of one student, as runs of the trainer.

    materials = Materials(captioned=..., labelled=..., validation=..., zero_shot=..., ...)
    prepare(materials, Path("work"), budget)               # subsets, then reinforced shards
    runs = train(materials, Path("work"), budget)
    runs["plain", 1000][0]["zero_shot_top1"].best          # of seed 0

Everything is done by the commands of `photosearch-trainer`, in processes of their own, and stays in
the folder: a benchmark that was cut off goes on where it stopped.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.efficiency import Curve
from benchmarks.subsets import write_held_out, write_parts
from benchmarks.timing import cores

Tables = dict[str, dict[str, Any]]
Curves = dict[str, Curve]
"""The curve of each held-out figure of one run, by the figure's name."""
Trainer = Callable[[Sequence[str], Path], None]
"""Runs `photosearch-trainer` with arguments, and writes what it says to a file."""

FIGURES = {"zero_shot_top1": "zero-shot top-1", "text_to_photo_r10": "R@10, text to photo"}
STUDENT = Path(__file__).parent / "student.json"


@dataclass(frozen=True)
class Arm:
    """One way of training: what it changes of the keys of the recipe."""

    key: str
    label: str
    changes: Mapping[str, Mapping[str, Any]]


PLAIN = Arm(
    "plain",
    "CLIP",
    {"data": {"augmentation": "light"}, "loss": {"lambda": 0.0, "captions": ["real"]}},
)
REINFORCED = Arm("reinforced", "reinforced", {"loss": {"lambda": 1.0}})
ARMS = (PLAIN, REINFORCED)


@dataclass(frozen=True, kw_only=True)
class Materials:
    """Photos to learn from and to measure on, and who says more of them.

    captioned, labelled: tars to learn from; validation: captioned, zero_shot: labelled ones.
    teachers, captioner: specifications as `reinforce` takes them. student: a configuration.
    """

    captioned: tuple[Path, ...]
    labelled: tuple[Path, ...]
    validation: Path
    zero_shot: tuple[Path, ...]
    teachers: tuple[str, ...]
    captioner: str
    student: Path = STUDENT
    image_size: int = 64


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Subsets, and images seen in a run of each; in batches, for each seed.

    rates: those tried for each way with the first seed; the best serves its other seeds. A rate is
    the same from `warmup` steps on, so that a point of a curve does not depend on how long the run
    goes on behind it; what is evaluated are averaged weights. crop_scale, randaugment_ops: how
    strong the views are that the teachers have seen.
    """

    sizes: tuple[int, ...] = (1_000, 3_000, 9_000)
    images: tuple[int, ...] = (32_000, 48_000, 96_000)
    batch: int = 128
    seeds: int = 3
    views: int = 10
    synthetic: int = 2
    crop_scale: tuple[float, float] = (0.08, 1.0)
    randaugment_ops: int = 2
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    warmup: int = 20


@dataclass(frozen=True)
class Run:
    """One run: which way, on the how-many-eth subset, by which seed and rate."""

    arm: Arm
    subset: int
    seed: int
    rate: float

    @property
    def name(self) -> str:
        return f"{self.arm.key}-{self.subset}-{self.seed}-{self.rate:g}"


def recipe(materials: Materials, work: Path, run: Run, budget: Budget) -> Tables:
    """The recipe of one run; runs differ in data, loss, rate and length alone."""
    tables: Tables = {
        "model": {"name": str(materials.student)},
        "data": {
            "train": [
                str(work / "shards" / f"part-{part}" / f"part-{part}.tar")
                for part in range(run.subset + 1)
            ],
            "validation": [str(work / "held-out" / "captioned.tar")],
            "zero_shot": [str(work / "held-out" / "labelled.tar")],
            "image_size": materials.image_size,
        },
        "loss": {},
        "optimizer": {"learning_rate": run.rate, "weight_decay": 0.1},
        "schedule": {"warmup": budget.warmup, "final_rate": run.rate},
        "run": {
            "steps": budget.images[run.subset] // budget.batch,
            "batch": budget.batch,
            "precision": "float32",
            "ema": 0.95,
            "seed": run.seed,
            "workers": 0,
            "threads": 1,
            "log_steps": 10,
            "evaluate_steps": 100,
            "evaluate_early": True,
            "checkpoint_seconds": 60.0,
        },
    }
    for table, changes in run.arm.changes.items():
        tables[table] |= changes
    return tables


def write_toml(path: Path, tables: Tables) -> None:
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]  # as in TOML
        lines.append("")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def reinforce_arguments(materials: Materials, part: Path, out: Path, budget: Budget) -> list[str]:
    """What the teachers say of views, and the captioner of the photo."""
    return [
        *("reinforce", str(part), "--captioner", materials.captioner),
        *(word for spec in materials.teachers for word in ("--teacher", spec)),
        *("--views", str(budget.views), "--synthetic", str(budget.synthetic)),
        *("--crop-scale", *map(str, budget.crop_scale)),
        *("--randaugment-ops", str(budget.randaugment_ops)),
        *("--quiet", "--out", str(out)),
    ]


def run_trainer(arguments: Sequence[str], log: Path) -> None:
    """In a process of its own. Raises `SystemExit` with the end of what it said when it fails."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        done = subprocess.run(
            [sys.executable, "-m", "trainer", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if done.returncode:
        said = log.read_text(encoding="utf-8").strip().splitlines()
        raise SystemExit(f"{' '.join(arguments)}\nfailed: {said[-1] if said else ''}\n({log})")


def prepare(
    materials: Materials,
    work: Path,
    budget: Budget,
    *,
    jobs: int | None = None,
    trainer: Trainer = run_trainer,
) -> None:
    """Write the subsets and reinforce them, as far as that has not been done."""
    write_held_out(materials.validation, materials.zero_shot, work / "held-out")
    parts = write_parts(materials.captioned, materials.labelled, budget.sizes, work / "parts")
    # Finished shards are found to be so by the command itself.
    _side_by_side(
        (
            (
                reinforce_arguments(materials, part, work / "shards" / part.stem, budget),
                work / "logs" / f"reinforce-{part.stem}.txt",
            )
            for part in reversed(parts)  # the largest first
        ),
        jobs,
        trainer,
    )


def train(
    materials: Materials,
    work: Path,
    budget: Budget,
    *,
    jobs: int | None = None,
    trainer: Trainer = run_trainer,
) -> dict[tuple[str, int], list[Curves]]:
    """Train both ways on each subset; their curves by the arm's key and the size, seed by seed."""

    def done(runs: Sequence[Run]) -> list[Curves]:
        waiting = []
        for run in runs:
            folder = work / "runs" / run.name
            path = folder / "recipe.toml"
            known = path.read_text(encoding="utf-8") if path.is_file() else None
            write_toml(path, recipe(materials, work, run, budget))
            same = known == path.read_text(encoding="utf-8")
            if not (same and (folder / "model.safetensors").is_file()):
                arguments = ["train", str(path), "--out", str(folder)]
                waiting.append((arguments, work / "logs" / f"{run.name}.txt"))
        _side_by_side(waiting, jobs, trainer)
        return [
            read_curves(work / "runs" / run.name / "validation.csv", budget.batch) for run in runs
        ]

    subsets = range(len(budget.sizes))
    tried = [
        Run(arm, subset, 0, rate) for arm in ARMS for subset in subsets for rate in budget.rates
    ]
    best: dict[tuple[str, int], tuple[float, float]] = {}
    for run, curves in zip(tried, done(tried), strict=True):
        reached = curves["zero_shot_top1"].best, run.rate
        of = run.arm.key, run.subset
        best[of] = max(best.get(of, reached), reached)
    runs = [
        Run(arm, subset, seed, best[arm.key, subset][1])
        for seed in range(budget.seeds)
        for subset in subsets
        for arm in ARMS
    ]
    found: dict[tuple[str, int], list[Curves]] = {}
    for run, curves in zip(runs, done(runs), strict=True):
        found.setdefault((run.arm.key, budget.sizes[run.subset]), []).append(curves)
    return found


def read_curves(table: Path, batch: int) -> Curves:
    """Held-out figures against images seen, from a run's `validation.csv`."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    images = np.array([int(row["step"]) * batch for row in rows], np.float64)
    return {
        name: Curve(images, np.array([float(row[name]) for row in rows], np.float64))
        for name in FIGURES
    }


def _side_by_side(
    commands: Iterable[tuple[list[str], Path]], jobs: int | None, trainer: Trainer
) -> None:
    """One command a core: two small networks train faster beside each other than with threads."""
    with ThreadPoolExecutor(jobs or cores()) as pool:
        for done in [pool.submit(trainer, *command) for command in commands]:
            done.result()
