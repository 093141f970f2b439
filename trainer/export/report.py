"""What an export wrote and how far it is from the trained towers: for a terminal and the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from photosearch.encoders import Bundle
from trainer.export.coreml import CoreMLReport
from trainer.export.gate import LIMIT, Recall
from trainer.export.tower import TOLERANCE


@dataclass(frozen=True)
class Int8Report:
    """The 8-bit text tower: whether it was kept, and what it saves.

    cosine: the mean to the text tower in PyTorch, on the sample texts one at a time.
    """

    kept: bool
    cosine: float
    size: int
    float32_size: int


@dataclass(frozen=True)
class Int8Image:
    """An image tower that computes in 8 bits before its poolings.

    cosine: the mean to the image tower in PyTorch, on the sample pictures.
    """

    cosine: float
    size: int
    float32_size: int


@dataclass(frozen=True)
class Checks:
    """What was measured before the bundle was put into its place.

    parity: for "image" and "text", the largest difference between the float32 network and PyTorch
    in any component of a unit-norm embedding; storage_cosine: for each, the mean cosine between
    embeddings before and after its weights were made smaller (1 when they were not).
    """

    parity: dict[str, float]
    storage_cosine: dict[str, float]
    recall: Recall | None = None
    int8: Int8Report | None = None
    int8_image: Int8Image | None = None
    coreml: CoreMLReport | None = None

    def record(self) -> dict[str, Any]:
        """The JSON form, as "export" in bundle.json.

        Two digits of a rounding error are enough, and no times are in it, so that the same towers
        give the same file.
        """
        packages = ["torch", "onnx", "onnxruntime", *(["coremltools"] if self.coreml else [])]
        record: dict[str, Any] = {
            "versions": {name: version(name) for name in packages},
            "tolerance": TOLERANCE,
            "parity": {name: float(f"{value:.1e}") for name, value in self.parity.items()},
            "storage_cosine": {name: round(c, 6) for name, c in self.storage_cosine.items()},
        }
        if self.recall is not None:
            record["retrieval"] = self.recall.record()
        if self.int8 is not None:
            record["int8_text"] = {
                "kept": self.int8.kept,
                "cosine": round(self.int8.cosine, 6),
                "bytes": self.int8.size,
                "float32_bytes": self.int8.float32_size,
            }
        if self.int8_image is not None:
            record["int8_image"] = {
                "cosine": round(self.int8_image.cosine, 4),
                "bytes": self.int8_image.size,
                "float32_bytes": self.int8_image.float32_size,
            }
        if self.coreml is not None:
            record["coreml"] = self.coreml.record()
        return record


@dataclass(frozen=True)
class ExportReport:
    """What was written. sizes: bytes of each file, and of each Core ML package as a whole."""

    bundle: Bundle
    sizes: dict[str, int]
    checks: Checks

    @property
    def parity(self) -> dict[str, float]:
        """See `Checks`."""
        return self.checks.parity

    @property
    def storage_cosine(self) -> dict[str, float]:
        """See `Checks`."""
        return self.checks.storage_cosine

    @property
    def total_bytes(self) -> int:
        """The size of the whole folder."""
        return sum(self.sizes.values())

    def summary(self) -> str:
        """A few lines for a terminal."""
        lines = [f"{self.bundle.id}: {self.total_bytes / 1e6:.1f} MB in {self.bundle.folder}"]
        lines += [f"  {name}: {size / 1e6:.2f} MB" for name, size in self.sizes.items()]
        lines += [
            f"  {tower}: within {self.parity[tower]:.1e} of PyTorch, "
            f"storage cosine {self.storage_cosine[tower]:.6f}"
            for tower in self.parity
        ]
        lines += [*self._int8_image(), *self._retrieval(), *self._coreml()]
        return "\n".join(lines)

    def _retrieval(self) -> list[str]:
        recall, int8 = self.checks.recall, self.checks.int8
        if recall is None:
            return ["  retrieval: not compared with PyTorch; give a captioned tar as gate"]
        values = ", ".join(f"{name} {100 * value:.2f}%" for name, value in recall.values.items())
        lines = [
            f"  R@10 of {recall.queries:,} captions among {recall.gallery:,} photos "
            f"(chance {100 * recall.chance:.1f}%): {values}"
        ]
        if int8 is not None:
            verdict = "kept" if int8.kept else "left out, the float32 text tower stays"
            lines.append(
                f"  int8 text tower: {verdict}; a drop of {100 * recall.drop('int8'):+.2f} points, "
                f"and less than {100 * LIMIT} is allowed; cosine {int8.cosine:.5f}, "
                f"{int8.size / 1e6:.2f} MB instead of {int8.float32_size / 1e6:.2f}"
            )
        return lines

    def _int8_image(self) -> list[str]:
        image = self.checks.int8_image
        if image is None:
            return []
        return [
            f"  int8 image tower: cosine {image.cosine:.4f}, {image.size / 1e6:.2f} MB instead of "
            f"{image.float32_size / 1e6:.2f}"
        ]

    def _coreml(self) -> list[str]:
        coreml = self.checks.coreml
        if coreml is None:
            return []
        cosines = ", ".join(f"{name} {cosine:.6f}" for name, cosine in coreml.float16.items())
        lines = [f"  Core ML: {coreml.note}", f"  float16 against float32, in PyTorch: {cosines}"]
        if coreml.parity is not None:
            parity = ", ".join(f"{name} {cosine:.6f}" for name, cosine in coreml.parity.items())
            lines.append(f"  Core ML against PyTorch, mean cosine: {parity}")
        return lines
