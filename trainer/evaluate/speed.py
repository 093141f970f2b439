"""How long one photo, or one text, takes: the median of repeats after a warm-up.

    speed = measure_bundle(Path("assets/models/mobileclip-nano"), "MobileCLIP-Nano", threads=1)

What is timed is what an application waits for once a picture is decoded and scaled: from pixels
to a unit vector, and from a text as typed to a unit vector. Decoding is the same for every model.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Bundle, Preprocess, open_tokenizer
from trainer.export.samples import sample_pixels, sample_texts

BATCHES = (1, 32)
_WARM_UP = 3
# Weights stored in fewer bits give a mean cosine of 0.9997; another model gives about 0.
_SAME_MODEL = 0.99


@dataclass(frozen=True)
class Towers:
    """Pixels uint8 (n, S, S, 3) to unit vectors (n, dim), and n texts to the same."""

    runtime: str
    size: int
    images: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    texts: Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one photo or text in batches of `batch`: median and quartiles of repeats."""

    tower: str
    runtime: str
    batch: int
    repeats: int
    ms: float
    quartiles: tuple[float, float]

    def record(self) -> dict[str, Any]:
        """The JSON form."""
        fields = asdict(self) | {"quartiles": list(self.quartiles)}
        fields["ms_per_item"] = fields.pop("ms")
        return fields


@dataclass(frozen=True)
class Speed:
    """Timings, and the machine (see `machine`) and number of threads that they are of."""

    machine: dict[str, Any]
    threads: int
    timings: list[Timing]

    def record(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "machine": self.machine,
            "threads": self.threads,
            "timings": [timing.record() for timing in self.timings],
        }

    def markdown(self) -> str:
        """A table under the machine's name."""
        on = self.machine
        lines = [
            f"Speed on {on['processor']} ({on['cores']} cores), {self.threads} "
            f"{'thread' if self.threads == 1 else 'threads'}, {on['system']}; median of repeats, "
            "with quartiles, for one photo or text:",
            "",
            "| Tower | Runtime | Batch | ms each | Quartiles | Repeats |",
            "| --- | --- | ---: | ---: | ---: | ---: |",
        ]
        lines += [
            f"| {timing.tower} | {timing.runtime} | {timing.batch} | {timing.ms:.2f} "
            f"| {timing.quartiles[0]:.2f} to {timing.quartiles[1]:.2f} | {timing.repeats} |"
            for timing in self.timings
        ]
        return "\n".join(lines) + "\n"


def measure_bundle(
    folder: Path,
    model: str,
    weights: tuple[Path, Path] | None = None,
    threads: int | None = None,
    repeats: int = 20,
) -> Speed:
    """Time the bundle in `folder`, and the PyTorch `weights` (image, text) of `model` if given.

    Raises `BundleError`, and what `torch_towers` does.
    """
    bundle = Bundle.open(folder)
    threads = threads or usable_cores()
    if weights is None:
        return Speed(machine(), threads, measure_speed(onnx_towers(bundle, threads), repeats))
    with torch_threads(threads):
        towers = onnx_towers(bundle, threads), torch_towers(bundle, model, *weights)
        timings = [timing for each in towers for timing in measure_speed(each, repeats)]
    return Speed(machine(), threads, timings)


def onnx_towers(bundle: Bundle, threads: int) -> Towers:
    """The bundle's own networks in ONNX Runtime, as photosearch runs them."""
    from photosearch.encoders.onnx import OnnxEncoder, import_onnxruntime

    encoder = OnnxEncoder(bundle, threads=threads)
    runtime = f"ONNX Runtime {import_onnxruntime().__version__}"
    return Towers(runtime, bundle.image.size, encoder.encode_pixels, encoder.encode_texts)


def torch_towers(bundle: Bundle, model: str, image: Path, text: Path) -> Towers:
    """The named model's towers in PyTorch: float32, normalisations folded, channels last.

    Preprocessing and tokens are the bundle's.

    Raises `ValueError` for weights that do not fit `model`, or are another model than the bundle.
    """
    import torch
    from torch.nn import functional as F

    from trainer.models.config import load_config
    from trainer.models.family import build_image_tower, build_text_tower
    from trainer.models.folding import fold_batch_norms
    from trainer.models.state import read_state

    config = load_config(model)
    parts = (
        (build_image_tower(config.image, config.dim), image),
        (build_text_tower(config.text, config.dim), text),
    )
    for tower, weights in parts:
        try:
            tower.load_state_dict(read_state(weights))
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{weights}: not weights of {model} ({reason})") from None
    visual, textual = (fold_batch_norms(tower) for tower, _ in parts)
    visual = visual.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    preprocess, tokenise = Preprocess(bundle.image), open_tokenizer(bundle)

    @torch.inference_mode()
    def images(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = torch.from_numpy(preprocess.normalise(pixels))
        rows = visual(batch.to(memory_format=torch.channels_last))
        return F.normalize(rows, dim=-1).numpy()

    @torch.inference_mode()
    def texts(lines: Sequence[str]) -> NDArray[np.float32]:
        return F.normalize(textual(torch.from_numpy(tokenise(lines))), dim=-1).numpy()

    towers = Towers(f"PyTorch {torch.__version__}", bundle.image.size, images, texts)
    _check_same(towers, onnx_towers(bundle, torch.get_num_threads()), image, text)
    return towers


def _check_same(towers: Towers, shipped: Towers, image: Path, text: Path) -> None:
    pixels, lines = sample_pixels(4, towers.size), sample_texts(8)
    pairs = (
        (image, towers.images(pixels), shipped.images(pixels)),
        (text, towers.texts(lines), shipped.texts(lines)),
    )
    for weights, ours, theirs in pairs:
        if ours.shape != theirs.shape or (ours * theirs).sum(1).mean() < _SAME_MODEL:
            raise ValueError(f"{weights}: not the weights that the bundle was exported from")


def measure_speed(
    towers: Towers, repeats: int = 20, clock: Callable[[], float] = time.perf_counter
) -> list[Timing]:
    """Time both towers in batches of 1 and 32; `clock` gives seconds."""
    timings = []
    for batch in BATCHES:
        pixels, lines = sample_pixels(batch, towers.size), _texts(batch)
        for tower, run in (
            ("image", lambda pixels=pixels: towers.images(pixels)),
            ("text", lambda lines=lines: towers.texts(lines)),
        ):
            seconds = _repeat(run, repeats, clock)
            first, median, third = np.percentile(seconds * 1000 / batch, (25, 50, 75))
            quartiles = float(first), float(third)
            timings.append(Timing(tower, towers.runtime, batch, repeats, float(median), quartiles))
    return timings


def _texts(count: int) -> list[str]:
    # The first samples are the odd ones: empty, and far too long. A query is neither.
    return sample_texts(count + 4)[4:]


def _repeat(
    run: Callable[[], object], repeats: int, clock: Callable[[], float]
) -> NDArray[np.float64]:
    for _ in range(_WARM_UP):
        run()
    seconds = np.empty(repeats)
    for place in range(repeats):
        start = clock()
        run()
        seconds[place] = clock() - start
    return seconds


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """PyTorch on `count` threads, and afterwards on as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """What a time depends on: the processor, its cores and the system."""
    return {"processor": _processor(), "cores": os.cpu_count() or 1, "system": platform.platform()}


def _processor() -> str:
    # `platform.processor` is empty or says "x86_64" on most Linux systems.
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
