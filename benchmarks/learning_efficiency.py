"""What reinforced training needs fewer images for, against plain CLIP training of one student.

The paper's claim (arXiv 2311.17049, abstract) is a learning efficiency 10 to 1,000 times that of
CLIP training on data that are not reinforced. Measured here by its ablation's ladder on the
photos, classifiers and text tower that the command is given.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.efficiency import Curve, Factors, at, spread
from benchmarks.ladder import LADDER, Budget, Materials, climb, prepare
from benchmarks.tables import figure, fill_page, markdown_table, save_figure, write_text
from benchmarks.timing import machine
from trainer.data.photo_tars import read_photos

Curves = Mapping[str, Sequence[Curve]]

PLAIN = LADDER[0].key
# Shares of plain training's best: all of it, and where no curve is flat yet.
SHARES = (1.0, 0.9)
_COLOURS = ("#555555", "#8c6bb1", "#2f6f9f", "#3a9b6f", "#d9822b")


def run(
    materials: Materials, work: Path, out: Path, *, budget: Budget, jobs: int | None = None
) -> None:
    """Measure in the folder `work`, print the tables, and write the page and its plot to `out`."""
    started = time.monotonic()
    print("  teaching the teachers, and reinforcing the photos")
    prepare(materials, work, jobs=jobs)
    print(f"  training students: {len(LADDER)} rungs, {budget.seeds} times")
    curves = climb(materials, work, budget, jobs=jobs)
    minutes = (time.monotonic() - started) / 60
    photos, taught, gallery = (
        sum(1 for _ in read_photos(tar))
        for tar in (materials.captioned, materials.teaching, materials.validation)
    )
    print(f"  {minutes:.0f} minutes in this run")
    print(factor_table(curves), recall_table(curves, budget), sep="\n\n")
    setting = (
        f"{machine()} at the end; {photos:,} photos to learn from, {taught:,} for the teachers, "
        f"R@10 over a gallery of {gallery:,} others (chance {10 / gallery:.1%}); "
        f"seeds: {budget.seeds}"
    )
    write_text(out / "learning-efficiency.md", page(curves, budget, setting))
    plot(curves, out / "learning-efficiency.svg")


def factors(curves: Curves, share: float) -> dict[str, Factors]:
    """Of each rung above plain training, by its key."""
    plain = curves[PLAIN]
    others = {key: found for key, found in curves.items() if key != PLAIN}
    return {key: Factors.of(plain, found, share=share) for key, found in others.items()}


def factor_table(curves: Curves) -> str:
    """How far each rung comes, and how many times fewer images it needs than plain training."""
    found = [factors(curves, share) for share in SHARES]
    rows = []
    for rung in LADDER:
        runs = curves[rung.key]
        rows.append(
            (
                rung.label,
                f"{runs[0].images[-1]:,.0f}",
                spread(np.array([curve.best for curve in runs])),
                *(["1"] * len(SHARES) if rung.key == PLAIN else [str(f[rung.key]) for f in found]),
            )
        )
    head = (
        "training",
        "images seen",
        "best R@10",
        "times fewer images to plain training's best",
        "to 90% of it",
    )
    return markdown_table(head, rows)


def recall_table(curves: Curves, budget: Budget) -> str:
    """R@10 of each rung after the same numbers of images, doubling from one evaluation on."""
    step = budget.evaluate_steps * budget.batch
    marks = [step]
    while marks[-1] * 2 <= budget.plain:
        marks.append(marks[-1] * 2)
    if marks[-1] < budget.plain:
        marks.append(budget.plain)
    rows = []
    for rung in LADDER:
        found = [at(curves[rung.key], mark) for mark in marks]
        rows.append((rung.label, *("" if f is None else spread(f) for f in found)))
    return markdown_table(("R@10 after", *(f"{mark:,} images" for mark in marks)), rows)


def page(curves: Curves, budget: Budget, setting: str) -> str:
    """docs/benchmarks/learning-efficiency.md."""
    plain = curves[PLAIN]
    full, most = (factors(curves, share) for share in SHARES)
    peaks = np.array([curve.reached(curve.best) for curve in plain], np.float64)
    return fill_page(
        "learning-efficiency.md",
        setting=setting,
        factors=factor_table(curves),
        recalls=recall_table(curves, budget),
        seeds=str(budget.seeds),
        best=spread(np.array([curve.best for curve in plain])),
        peak=f"{peaks.min():,.0f} to {peaks.max():,.0f}",
        whole=str(full["ensemble"]),
        part=str(most["ensemble"]),
        single=str(full["distillation"]),
        distilled=spread(np.array([curve.best for curve in curves["distillation"]])),
        captions=str(most["captions"]),
        top=spread(np.array([curve.best for curve in curves["ensemble"]])),
        batch=str(budget.batch),
        rate=f"{budget.learning_rate:g}",
        every=f"{budget.evaluate_steps * budget.batch:,}",
    )


def plot(curves: Curves, path: Path) -> None:
    """R@10 against images seen: the mean of the seeds, and between which they lie."""
    drawn, (axis,) = figure(1, 4.2)
    drawn.set_figwidth(8)
    for rung, colour in zip(LADDER, _COLOURS, strict=True):
        runs = curves[rung.key]
        seen = runs[0].images[1:]  # what no image was seen for has no place on a logarithmic axis
        recall = 100 * np.stack([np.interp(seen, c.images, c.recall) for c in runs])
        axis.plot(seen, recall.mean(0), color=colour, label=rung.label)
        axis.fill_between(seen, recall.min(0), recall.max(0), color=colour, alpha=0.15, linewidth=0)
    best = 100 * float(np.mean([curve.best for curve in curves[PLAIN]]))
    axis.axhline(best, color=_COLOURS[0], linewidth=0.8, linestyle=":")
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.set_xlabel("images seen")
    axis.set_ylabel("held-out R@10, text to photo, in %")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, loc="lower right")
    save_figure(drawn, path)
