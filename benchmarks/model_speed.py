"""How fast MobileCLIP's towers are against ViT-B/16's, all in one run of ONNX Runtime.

The paper's latencies are of an iPhone 12 Pro Max. Whether they carry over to another processor has
to be measured on it: depthwise convolutions do few multiply-adds for each byte that they move.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.contenders import (
    BASELINE,
    CONTENDERS,
    S2,
    SIGLIP,
    Contender,
    Cost,
    Network,
    build_towers,
    cost,
    deploy,
)
from benchmarks.tables import figure, fill_page, markdown_table, save_figure, write_text
from benchmarks.timing import Spread, cores, count, interleave, machine, seconds_a_call
from photosearch.encoders.onnx import import_onnxruntime

BATCH = 8
# Shorter visits are repeated until the clock's own error and a stray interrupt weigh little.
_LEAST_SECONDS = 0.25

Case = Literal["image", "batch", "text"]


@dataclass(frozen=True)
class Result:
    """One model: the costs of its towers, and milliseconds (rounds,) of one image or one text."""

    contender: Contender
    pixels: int
    image: Cost
    text: Cost
    milliseconds: dict[Case, NDArray[np.float64]]

    @property
    def total(self) -> NDArray[np.float64]:
        """One image and one text, which the paper calls a model's latency."""
        return self.milliseconds["image"] + self.milliseconds["text"]

    @property
    def macs(self) -> int:
        return self.image.macs + self.text.macs


def run(folder: Path, out: Path, *, rounds: int, threads: int | None = None) -> None:
    """Measure, print the table, and write it with a plot to `out`. Networks go to `folder`."""
    threads = threads or cores()
    torch.set_num_threads(threads)
    setting = (
        f"{machine()} when it started; ONNX Runtime {import_onnxruntime().__version__}, "
        f"float32, {count(threads, 'thread')}, {rounds} rounds"
    )
    results = measure(folder, rounds=rounds, threads=threads)
    print(ratio_table(results), time_table(results), sep="\n\n")
    write_text(out / "model-speed.md", page(results, setting))
    plot(results, out / "model-speed.svg")


def measure(
    folder: Path,
    *,
    rounds: int,
    threads: int,
    contenders: tuple[Contender, ...] = CONTENDERS,
    least_seconds: float = _LEAST_SECONDS,
) -> list[Result]:
    """Export all models, then time them in turns."""
    costs: dict[Contender, tuple[int, Cost, Cost]] = {}
    visits = {}
    for contender in tqdm(contenders, desc="exporting", unit="model"):
        image, text = build_towers(contender)
        networks = [
            deploy(tower, folder / f"{contender.name}-{tower.kind}.onnx", threads=threads)
            for tower in (image, text)
        ]
        cases: dict[Case, tuple[Network, NDArray[Any]]] = {
            "image": (networks[0], image.sample(1)),
            "batch": (networks[0], image.sample(BATCH)),
            "text": (networks[1], text.sample(1)),
        }
        for case, (network, inputs) in cases.items():
            visits[contender, case] = partial(_visit, network, inputs, least_seconds)
        costs[contender] = (image.shape[-1], cost(image), cost(text))
    started = time.monotonic()
    seconds = interleave(visits, rounds=rounds)
    print(f"  {rounds} rounds in {time.monotonic() - started:.0f} s")
    return [
        Result(
            contender,
            *costs[contender],
            {
                "image": seconds[contender, "image"] * 1e3,
                "batch": seconds[contender, "batch"] * 1e3 / BATCH,
                "text": seconds[contender, "text"] * 1e3,
            },
        )
        for contender in contenders
    ]


def _visit(network: Network, inputs: NDArray[Any], least_seconds: float) -> float:
    network(inputs)  # fetches its weights back into the caches, from which others pushed them
    return seconds_a_call(lambda: network(inputs), at_least=least_seconds)


def times_faster(
    results: list[Result], than: Contender, case: Case | None = None
) -> dict[Contender, Spread]:
    """How many times faster than one model each is, at `case` or, without, at image and text."""

    def values(result: Result) -> NDArray[np.float64]:
        return result.total if case is None else result.milliseconds[case]

    (slow,) = (result for result in results if result.contender == than)
    return {result.contender: Spread.of(values(slow) / values(result)) for result in results}


def on_iphone(contender: Contender, than: Contender) -> float | None:
    """The same by the paper's latencies of image and text; None for a model it does not have."""
    if contender.iphone_ms is None or than.iphone_ms is None:
        return None
    return sum(than.iphone_ms) / sum(contender.iphone_ms)


def ratio_table(results: list[Result]) -> str:
    """What the models are, and how many times faster than ViT-B/16."""
    head = (
        "model",
        "px",
        "M parameters, image + text",
        "GMAC, image + text",
        "image + text",
        f"image only, batches of {BATCH}",
        "image + text by multiply-adds",
        "image + text in the paper, on an iPhone",
    )
    (slow,) = (result for result in results if result.contender == BASELINE)
    total, batch = times_faster(results, BASELINE), times_faster(results, BASELINE, "batch")
    rows = []
    for result in results:
        paper = on_iphone(result.contender, BASELINE)
        rows.append(
            (
                result.contender.label,
                str(result.pixels),
                f"{result.image.parameters / 1e6:.1f} + {result.text.parameters / 1e6:.1f}",
                f"{result.image.macs / 1e9:.1f} + {result.text.macs / 1e9:.1f}",
                f"{total[result.contender]:.2f}",
                f"{batch[result.contender]:.2f}",
                f"{slow.macs / result.macs:.2f}",
                "not in it" if paper is None else f"{paper:.2f}",
            )
        )
    return markdown_table(head, rows)


def time_table(results: list[Result]) -> str:
    head = ("model", "an image", f"an image, batches of {BATCH}", "a text", "image + text")
    rows = [
        (
            result.contender.label,
            f"{Spread.of(result.milliseconds['image']):.1f}",
            f"{Spread.of(result.milliseconds['batch']):.1f}",
            f"{Spread.of(result.milliseconds['text']):.1f}",
            f"{Spread.of(result.total):.1f}",
        )
        for result in results
    ]
    return markdown_table(head, rows)


def page(results: list[Result], setting: str) -> str:
    """docs/benchmarks/model-speed.md."""
    return fill_page(
        "model-speed.md",
        setting=setting,
        ratios=ratio_table(results),
        times=time_table(results),
        siglip_ms=f"{sum(SIGLIP.iphone_ms or ()):.1f}",
        s2_ms=f"{sum(S2.iphone_ms or ()):.1f}",
        claimed=f"{on_iphone(S2, SIGLIP):.1f}",
        claimed_clip=f"{on_iphone(S2, BASELINE):.1f}",
        siglip=f"{times_faster(results, SIGLIP)[S2]:.2f}",
        clip=f"{times_faster(results, BASELINE)[S2]:.2f}",
    )


def plot(results: list[Result], path: Path) -> None:
    """Left, time of an image and a text; right, the ratio to ViT-B/16 here and on an iPhone."""
    drawn, (left, right) = figure(2, 0.55 * len(results) + 1)
    labels = [result.contender.label for result in results]
    rows = np.arange(len(results))
    image = [float(np.median(result.milliseconds["image"])) for result in results]
    text = [float(np.median(result.milliseconds["text"])) for result in results]
    left.barh(rows, image, color="#2f6f9f", label="image")
    left.barh(rows, text, left=image, color="#a9cbe3", label="text")
    left.set_yticks(rows, labels)
    left.set_xlabel("ms for one image and one text")
    here = times_faster(results, BASELINE)
    medians = np.array([here[result.contender].median for result in results])
    errors = np.array([(here[r.contender].low, here[r.contender].high) for r in results]).T
    right.barh(
        rows - 0.2,
        medians,
        height=0.4,
        color="#2f6f9f",
        label="here",
        xerr=np.abs(errors - medians),
        error_kw={"elinewidth": 1},
    )
    paper = [on_iphone(result.contender, BASELINE) for result in results]
    right.barh(
        rows + 0.2,
        [ratio or 0 for ratio in paper],
        height=0.4,
        color="#d9822b",
        label="iPhone 12 Pro Max, by the paper",
    )
    right.axvline(1, color="black", linewidth=0.8)
    right.set_yticks(rows, [""] * len(rows))
    right.set_xlabel("times faster than ViT-B/16, image + text")
    for axis in (left, right):
        axis.invert_yaxis()
        axis.legend(frameon=False)
    save_figure(drawn, path)
