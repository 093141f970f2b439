"""YOLOX (arXiv 2107.08430), an object detector, from an ONNX file as its authors export it.

for found in Yolox(Path("yolox_nano.onnx"))(photo):
    print(found.label, found.score, found.box)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from photosearch.encoders.onnx import import_onnxruntime

_STRIDES = (8, 16, 32)
_GREY = 114


@dataclass(frozen=True)
class Detection:
    """One object: the number of its class, a score in 0-1, and left, top, right and bottom in
    pixels of the photo, inside it."""

    label: int
    score: float
    box: tuple[float, float, float, float]

    @property
    def area(self) -> float:
        """In square pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


class Yolox:
    """Finds objects in photos.

    The network must take BGR float (1, 3, S, S) in 0-255 and give (1, cells, 5 + classes): centre
    and logarithm of the size in cells, then the probability of an object and of each class, already
    between 0 and 1, for the cells of the grids with strides 8, 16 and 32.

    Raises `ValueError` when the file is not such a network.
    """

    def __init__(
        self, path: Path, *, threshold: float = 0.4, overlap: float = 0.45, threads: int = 1
    ) -> None:
        """threshold: the least score; overlap: the intersection over union from which two objects
        of one class count as the same."""
        if not path.is_file():
            raise ValueError(f"{path}: no such detector; give the path of a YOLOX .onnx file")
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            self._network = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class.
            reason = str(error).splitlines()[0]
            raise ValueError(f"{path}: ONNX Runtime cannot load it ({reason})") from None
        given, found = self._network.get_inputs(), self._network.get_outputs()
        shape, result = given[0].shape, found[0].shape
        square = len(shape) == 4 and shape[:2] == [1, 3] and shape[2] == shape[3]
        if len(given) != 1 or not square or not isinstance(shape[2], int) or shape[2] % 32:
            raise ValueError(f"{path}: expected one (1, 3, S, S) input, not {shape}")
        self.size = shape[2]
        self._centres, self._strides = _cells(self.size)
        if len(result) != 3 or result[1] != len(self._strides) or not isinstance(result[2], int):
            raise ValueError(
                f"{path}: expected a (1, {len(self._strides)}, 5 + classes) output, not {result}"
            )
        self.classes = result[2] - 5
        self.threshold, self.overlap = threshold, overlap
        self._input = given[0].name

    def __call__(self, photo: Image.Image) -> list[Detection]:
        """The objects in an RGB photo of any size, the surest first."""
        pixels, scale = letterbox(photo, self.size)
        (rows,) = self._network.run(None, {self._input: pixels})
        boxes, scores = self._decode(rows[0])
        boxes = np.clip(boxes / scale, 0, [*photo.size, *photo.size])
        labels = scores.argmax(axis=1)
        best = scores.max(axis=1)
        order = [row for row in np.argsort(-best, kind="stable") if best[row] >= self.threshold]
        kept: list[int] = []
        for row in order:
            rivals = [other for other in kept if labels[other] == labels[row]]
            if not rivals or _overlaps(boxes[row], boxes[rivals]).max() <= self.overlap:
                kept.append(row)
        return [
            Detection(int(labels[row]), float(best[row]), tuple(boxes[row].tolist()))
            for row in kept
        ]

    def _decode(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (cells, 4) in pixels of the network's input, and scores (cells, classes)."""
        centre = (rows[:, :2] + self._centres) * self._strides
        half = np.exp(rows[:, 2:4]) * self._strides / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1)
        return boxes, rows[:, 4:5] * rows[:, 5:]


def letterbox(photo: Image.Image, size: int) -> tuple[np.ndarray, float]:
    """BGR float32 (1, 3, size, size) in 0-255, and the factor by which the photo was resized.

    The photo keeps its proportions and stands at the top left; the rest is grey.
    """
    scale = min(size / photo.width, size / photo.height)
    fitted = (max(1, int(photo.width * scale)), max(1, int(photo.height * scale)))
    canvas = Image.new("RGB", (size, size), (_GREY, _GREY, _GREY))
    canvas.paste(photo.resize(fitted, Image.Resampling.BILINEAR))
    bgr = np.asarray(canvas)[:, :, ::-1].transpose(2, 0, 1)
    return np.ascontiguousarray(bgr, np.float32)[None], scale


def _cells(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and row (cells, 2) of each cell in its grid, and the grid's stride (cells, 1)."""
    places, strides = [], []
    for stride in _STRIDES:
        side = size // stride
        rows, columns = np.mgrid[:side, :side]
        places.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((side * side, 1), stride))
    return (
        np.concatenate(places).astype(np.float32),
        np.concatenate(strides).astype(np.float32),
    )


def _overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with others (n, 4)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = sides.clip(min=0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return shared / np.maximum(areas - shared, 1e-9)
