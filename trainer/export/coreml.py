"""Both towers as Core ML packages, for applications on iPhones and Macs.

    report = write_coreml(folder, image_tower, text_tower, samples)

Inputs are those of Apple's own MobileCLIP packages: `image`, an RGB picture of the side that the
model takes, whose scaling to 0-1 and normalisation are inside the network, and `text`, int32 token
ids (1, context). Both give `embedding`, float32 (1, dim), not of unit norm. Weights and arithmetic
are float16.

Packages are written on Linux and on a Mac alike, but Core ML itself is a part of macOS: only there
can what they give be compared with PyTorch. On Linux the declared inputs and outputs are checked,
and PyTorch runs the towers in float16, which shows whether the values fit, and no more.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import sys
import traceback
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from photosearch.encoders import ImageSettings
from trainer.export.coreml_cast import casts_of_arrays
from trainer.export.errors import ExportError
from trainer.export.place import PACKAGES, sizes_of
from trainer.export.samples import Samples
from trainer.export.tower import embeddings, mean_cosine

# Float16 has 11 bits: over some fifty layers a cosine of 0.999 is what rounding leaves.
LEAST_COSINE = 0.999
_UNCHECKED = (
    "Not compared with PyTorch: Core ML runs only on macOS. Export with --coreml on a Mac to check."
)
_COMPARED = 8


@dataclass(frozen=True)
class CoreMLReport:
    """What was written, by tower: "image" and "text".

    sizes: bytes of each package; float16: the mean cosine between PyTorch in float16 and in
    float32; parity: the mean cosine between Core ML and PyTorch in float32, None but on a Mac.
    """

    specification_version: int
    sizes: dict[str, int]
    float16: dict[str, float]
    parity: dict[str, float] | None

    @property
    def note(self) -> str:
        """Whether it was compared with PyTorch, in a sentence."""
        return "Compared with PyTorch on this Mac." if self.parity else _UNCHECKED

    def record(self) -> dict[str, Any]:
        """The JSON form, as "coreml" in bundle.json's "export"."""
        return {
            "precision": "float16",
            "specification_version": self.specification_version,
            "bytes": self.sizes,
            "float16_cosine": _rounded(self.float16),
            "parity": _rounded(self.parity) if self.parity else None,
            "note": self.note,
        }


def write_coreml(
    folder: Path, image_tower: nn.Module, text_tower: nn.Module, samples: Samples
) -> CoreMLReport:
    """Write image.mlpackage and text.mlpackage into `folder`, and check what can be checked here.

    Args:
        image_tower: folded; normalised pixels (n, 3, S, S) -> (n, dim).
        text_tower: folded; token ids (n, L) -> (n, dim).
        samples: the first few are compared.

    Raises:
        ExportError: coremltools is not installed or cannot convert a tower, a package is not what
            was asked for, float16 does not hold a tower's values, or, on a Mac, Core ML gives
            something else than PyTorch.
    """
    settings = samples.settings
    pixels, ids = samples.pixels[:_COMPARED], samples.ids[:_COMPARED]
    towers = {"image": _FromPixels(image_tower, settings), "text": text_tower}
    inputs = {
        "image": torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255,
        "text": torch.from_numpy(ids).int(),
    }
    expected = {name: embeddings(tower, inputs[name]) for name, tower in towers.items()}
    halves = {
        name: _float16_cosine(tower, inputs[name], expected[name], name)
        for name, tower in towers.items()
    }
    version = 0
    for name, tower in towers.items():
        path = folder / PACKAGES[name]
        with _quiet():
            _convert(tower, inputs[name][:1], name, path)
            version = _check(path, name, settings.size, ids.shape[1], expected[name].shape[1])
        _make_reproducible(path)
    sizes = {name: sizes_of(folder)[package] for name, package in PACKAGES.items()}
    parity = None
    if sys.platform == "darwin":
        parity = {
            name: compare(_predictor(folder / PACKAGES[name], name), given, expected[name], name)
            for name, given in (("image", pixels), ("text", ids))
        }
    return CoreMLReport(version, sizes, halves, parity)


def compare(
    predict: Callable[[NDArray[Any]], NDArray[Any]],
    given: NDArray[Any],
    expected: NDArray[np.float32],
    name: str,
) -> float:
    """The mean cosine between `predict` of each of `given`, (1, dim), and `expected` (n, dim).

    Raises `ExportError` when any is below `LEAST_COSINE`, or no number.
    """
    rows = np.concatenate([predict(one) for one in given]).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    least = float((rows * expected).sum(1).min())
    # Written so that NaN fails too.
    if not least >= LEAST_COSINE:
        raise ExportError(
            f"{PACKAGES[name]}: Core ML gives something else than PyTorch: a cosine of {least:.4f}"
            f", and {LEAST_COSINE} is the least allowed"
        )
    return mean_cosine(rows, expected)


class _FromPixels(nn.Module):
    """An image tower that takes RGB in 0-1 and normalises it itself."""

    def __init__(self, tower: nn.Module, settings: ImageSettings) -> None:
        super().__init__()
        self.tower = tower
        self.mean = nn.Buffer(torch.tensor(settings.mean).view(3, 1, 1))
        self.std = nn.Buffer(torch.tensor(settings.std).view(3, 1, 1))

    def forward(self, pixels: Tensor) -> Tensor:
        embedding: Tensor = self.tower((pixels - self.mean) / self.std)
        return embedding


def _float16_cosine(
    tower: nn.Module, given: Tensor, expected: NDArray[np.float32], name: str
) -> float:
    half = copy.deepcopy(tower).half()
    rows = embeddings(half, given.half() if given.is_floating_point() else given)
    cosine = mean_cosine(rows, expected)
    if not cosine >= LEAST_COSINE:
        raise ExportError(
            f"{name} tower: in float16 it gives something else: a cosine of {cosine:.4f} to "
            f"float32, and {LEAST_COSINE} is the least allowed; export it without Core ML"
        )
    return cosine


def _convert(tower: nn.Module, example: Tensor, name: str, path: Path) -> None:
    try:
        import coremltools  # type: ignore[import-untyped]
    except ImportError:
        raise ExportError(
            "Core ML packages need coremltools, which there is for Linux and macOS; "
            "pip install coremltools, or export without them"
        ) from None
    if name == "image":
        given = coremltools.ImageType(
            name="image",
            shape=tuple(example.shape),
            scale=1 / 255,
            color_layout=coremltools.colorlayout.RGB,
        )
    else:
        given = coremltools.TensorType(name="text", shape=tuple(example.shape), dtype=np.int32)
    try:
        traced = torch.jit.trace(tower.eval(), example)
        with casts_of_arrays():
            model = coremltools.convert(
                traced,
                inputs=[given],
                outputs=[coremltools.TensorType(name="embedding")],
                convert_to="mlprogram",
                compute_precision=coremltools.precision.FLOAT16,
                # The first with ML programs, so that the packages serve the most devices.
                minimum_deployment_target=coremltools.target.iOS15,
                skip_model_load=True,
            )
        model.save(str(path))
    except Exception as error:  # a converter of a thousand operators may fail in any way
        reason = " ".join(str(error).split())[:300]
        # They hold a temporary folder, which would warn of itself whenever they go.
        traceback.clear_frames(error.__traceback__)
        raise ExportError(
            f"{path.name}: coremltools cannot convert this tower: {reason}"
        ) from error


def _check(path: Path, name: str, size: int, context: int, dim: int) -> int:
    """Check what the package says it takes and gives; return its specification version."""
    import coremltools

    spec = coremltools.utils.load_spec(str(path))
    (given,), (output,) = spec.description.input, spec.description.output
    if name == "image":
        kind = given.type.imageType
        found: tuple[Any, ...] = (kind.width, kind.height, kind.ColorSpace.Name(kind.colorSpace))
        wanted: tuple[Any, ...] = (size, size, "RGB")
    else:
        array = given.type.multiArrayType
        found = (tuple(array.shape), array.ArrayDataType.Name(array.dataType))
        wanted = ((1, context), "INT32")
    gives = tuple(output.type.multiArrayType.shape)
    if (given.name, found, output.name, gives) != (name, wanted, "embedding", (1, dim)):
        raise ExportError(
            f"{path.name}: takes {given.name} {found} and gives {output.name} {gives}, instead of "
            f"{name} {wanted} and embedding {(1, dim)}"
        )
    return int(spec.specificationVersion)


def _predictor(path: Path, name: str) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Runs the package; on macOS only."""
    import coremltools

    model = coremltools.models.MLModel(str(path))

    def predict(one: NDArray[Any]) -> NDArray[Any]:
        given = Image.fromarray(one) if name == "image" else one[None].astype(np.int32)
        return np.asarray(model.predict({name: given})["embedding"])

    return predict


def _make_reproducible(package: Path) -> None:
    """The same network gives the same bytes, and whoever may read the bundle may read them.

    coremltools writes the date, random identifiers, and maps in no fixed order; and it lets nobody
    else read some of the files.
    """
    from coremltools.proto import Model_pb2  # type: ignore[import-untyped]

    spec_file = package / "Data" / "com.apple.CoreML" / "model.mlmodel"
    spec = Model_pb2.Model.FromString(spec_file.read_bytes())
    spec.description.metadata.userDefined.pop("com.github.apple.coremltools.conversion_date", None)
    spec_file.write_bytes(spec.SerializeToString(deterministic=True))

    manifest_file = package / "Manifest.json"
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    items = manifest["itemInfoEntries"]
    named = {key: str(uuid.uuid5(uuid.NAMESPACE_URL, item["path"])) for key, item in items.items()}
    manifest["itemInfoEntries"] = {named[key]: item for key, item in items.items()}
    manifest["rootModelIdentifier"] = named[manifest["rootModelIdentifier"]]
    text = json.dumps(manifest, indent=4, sort_keys=True) + "\n"
    manifest_file.write_text(text, encoding="utf-8")
    for path in (package, *package.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what coremltools prints: progress bars, and that Core ML is missing on Linux."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # of eval mode, which has no Core ML form
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}
