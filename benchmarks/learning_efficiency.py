"""What reinforced training needs fewer images for, against plain CLIP training of one student.

The paper's claim (arXiv 2311.17049, abstract) is a learning efficiency 10 to 1,000 times that of
CLIP training on data that are not reinforced. Measured here on the photos and teachers that the
command is given, from random weights of both towers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.arms import (
    ARMS,
    FIGURES,
    PLAIN,
    REINFORCED,
    Budget,
    Curves,
    Materials,
    prepare,
    train,
)
from benchmarks.efficiency import Curve, Factors, photos_for, spread
from benchmarks.tables import figure, fill_page, markdown_table, save_figure, write_text
from benchmarks.timing import machine

Runs = Mapping[tuple[str, int], Sequence[Curves]]

# Shares of plain training's best.
SHARES = (0.25, 0.5, 0.75, 1.0)
_COLOURS = {PLAIN.key: "#555555", REINFORCED.key: "#d9822b"}
_DASHES = (":", "--", "-", "-.")


def run(
    materials: Materials, work: Path, out: Path, *, budget: Budget, jobs: int | None = None
) -> None:
    """Measure in the folder `work`, print the tables, and write the page and its plot to `out`."""
    started = time.monotonic()
    print("  reinforcing the photos")
    prepare(materials, work, budget, jobs=jobs)
    print(f"  training students on {', '.join(f'{size:,}' for size in budget.sizes)} photos")
    runs = train(materials, work, budget, jobs=jobs)
    print(f"  {(time.monotonic() - started) / 60:.0f} minutes in this run")
    log = (work / "logs").glob(f"{PLAIN.key}-0-0-*.txt")
    measured = [
        line.removeprefix("validation: ")
        for line in next(iter(log)).read_text(encoding="utf-8").splitlines()
        if line.startswith("validation: ")
    ]
    text = page(runs, budget, f"{machine()} at the end", "; ".join(measured[:2]))
    print(text)
    write_text(out / "learning-efficiency.md", text)
    plot(runs, out / "learning-efficiency.svg")


def curves_of(runs: Runs, arm: str, size: int, name: str) -> list[Curve]:
    """Of one figure, seed by seed."""
    return [curves[name] for curves in runs[arm, size]]


def sizes_of(runs: Runs) -> list[int]:
    return sorted({size for _, size in runs})


def best_table(runs: Runs, name: str) -> str:
    """How far each way comes with each number of photos."""
    rows = []
    for size in sizes_of(runs):
        cells = []
        for arm in ARMS:
            found = curves_of(runs, arm.key, size, name)
            at = np.array([curve.reached(curve.best) for curve in found], np.float64)
            best = spread(np.array([curve.best for curve in found]))
            cells += [best, f"{at.min():,.0f} to {at.max():,.0f}"]
        rows.append((f"{size:,}", *cells))
    heads = (f"{arm.label}, {what}" for arm in ARMS for what in ("best", "images seen to it"))
    return markdown_table(("photos", *heads), rows)


def seen_table(runs: Runs, name: str) -> str:
    """How many times fewer images reinforced training sees to shares of plain training's best."""
    rows = []
    for size in sizes_of(runs):
        plain = curves_of(runs, PLAIN.key, size, name)
        other = curves_of(runs, REINFORCED.key, size, name)
        factors = [Factors.of(plain, other, share=share) for share in SHARES]
        rows.append((f"{size:,}", *map(str, factors)))
    return markdown_table(("photos", *(f"to {share:.0%} of its best" for share in SHARES)), rows)


def photos_table(runs: Runs, name: str) -> str:
    """How many times fewer distinct photos reinforced training needs for what plain reaches."""
    sizes = sizes_of(runs)
    bests = list(
        zip(
            *(
                [curve.best for curve in curves_of(runs, REINFORCED.key, size, name)]
                for size in sizes
            ),
            strict=True,
        )
    )
    rows = []
    for size in sizes:
        plain = curves_of(runs, PLAIN.key, size, name)
        cells = []
        for share in SHARES:
            found = [
                photos_for(share * curve.best, sizes, reached)
                for curve, reached in zip(plain, bests, strict=True)
            ]
            least = ">= " if any(one == sizes[0] for one in found) else ""
            cells.append(least + str(Factors(tuple(one and size / one for one in found))))
        rows.append((f"{size:,}", *cells))
    return markdown_table(("photos", *(f"to {share:.0%} of its best" for share in SHARES)), rows)


def page(runs: Runs, budget: Budget, setting: str, measured: str) -> str:
    """docs/benchmarks/learning-efficiency.md."""
    tables = {
        f"{kind}_{name}": table(runs, name)
        for name in FIGURES
        for kind, table in (("best", best_table), ("seen", seen_table), ("photos", photos_table))
    }
    return fill_page(
        "learning-efficiency.md",
        setting=setting,
        measured=measured,
        seeds=str(budget.seeds),
        views=str(budget.views),
        batch=str(budget.batch),
        rates=", ".join(f"{rate:g}" for rate in budget.rates),
        crop=f"{budget.crop_scale[0]:g} to {budget.crop_scale[1]:g}",
        operations=str(budget.randaugment_ops),
        images=", ".join(f"{images:,}" for images in budget.images),
        **tables,
    )


def plot(runs: Runs, path: Path) -> None:
    """Each figure against images seen: the mean of the seeds, and between which they lie."""
    drawn, axes = figure(len(FIGURES), 4.2)
    for axis, (name, label) in zip(axes, FIGURES.items(), strict=True):
        for size, dash in zip(sizes_of(runs), _DASHES, strict=False):
            for arm in ARMS:
                found = curves_of(runs, arm.key, size, name)
                seen = found[0].images[1:]  # no image at all has no place on a logarithmic axis
                share = 100 * np.stack([np.interp(seen, c.images, c.recall) for c in found])
                colour = _COLOURS[arm.key]
                axis.plot(
                    seen, share.mean(0), color=colour, ls=dash, label=f"{arm.label}, {size:,}"
                )
                axis.fill_between(
                    seen, share.min(0), share.max(0), color=colour, alpha=0.12, linewidth=0
                )
        axis.set_xscale("log", base=4)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axis.set_xlabel("images seen")
        axis.set_ylabel(f"{label}, in %")
        axis.set_ylim(bottom=0)
    axes[0].legend(frameon=False, loc="upper left", fontsize=8)
    save_figure(drawn, path)
