"""The networks: YuNet finds faces, and dlib's residual network describes each by 128 numbers.

Both come along, run by ONNX Runtime, and are loaded when faces are looked for. Nothing is
downloaded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from index.catalogue.faces import FoundFace
from photosearch.encoders.onnx import import_onnxruntime
from photosearch.faces.aligning import aligned, sharpness
from photosearch.shipped import asset

# To be changed with either network, or with how a face is given to them.
MODEL = "yunet-2023+dlib-resnet-1"
# Longer sides that a picture is looked at in: large faces are found in a small one.
_SCALES = (1280, 448)
_STRIDES = (8, 16, 32)
# From which a face counts as one, and by how much two may overlap.
_SCORE, _OVERLAP = 0.6, 0.35
# Pixels of a smaller side: of less there is nothing to know anybody by.
_SMALLEST = 24


class FaceModel:
    """Both networks, open."""

    def __init__(self) -> None:
        runtime = import_onnxruntime()
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait for the next layer by turning would take half as much time again.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._finds, self._describes = (
            runtime.InferenceSession(str(asset("faces", name)), options, ["CPUExecutionProvider"])
            for name in ("yunet.onnx", "resnet.onnx")
        )

    def faces(self, image: Image.Image) -> list[FoundFace]:
        """The faces in a picture, the surest first; vectors have 128 numbers."""
        image = image.convert("RGB")
        found = _apart(self._found_at_all_scales(image))
        if not found:
            return []
        pictures = [aligned(image, landmarks) for _, _, landmarks in found]
        batch = np.stack(pictures).astype(np.float32).transpose(0, 3, 1, 2)
        vectors = self._describes.run(None, {"faces": batch})[0]
        size = np.array(image.size, np.float32)
        return [
            FoundFace(
                tuple((box / np.tile(size, 2)).round(5).tolist()),
                (landmarks / size).astype(np.float32),
                score,
                float(box[2:].min()),
                sharpness(picture),
                vector,
            )
            for (score, box, landmarks), picture, vector in zip(
                found, pictures, vectors, strict=True
            )
        ]

    def _found_at_all_scales(self, image: Image.Image) -> list[_Found]:
        """What is found in the picture, smaller each time; in its own pixels."""
        found: list[_Found] = []
        small = image
        for side in _SCALES:
            if side <= _most(image):
                scale = min(1.0, side / max(image.size))
                width, height = (max(1, round(length * scale)) for length in image.size)
                if (width, height) != small.size:
                    small = small.resize((width, height), Image.Resampling.BILINEAR)
                found += self._found(image, small, scale)
        return found

    def _found(self, image: Image.Image, small: Image.Image, scale: float) -> list[_Found]:
        """What is found in the picture, looked at as `small`, which is scaled by `scale`."""
        width, height = (-(-length // 32) * 32 for length in small.size)
        pixels = np.zeros((1, 3, height, width), np.float32)
        for number, channel in enumerate(reversed(small.split())):
            pixels[0, number, : small.height, : small.width] = np.asarray(channel)
        names = [one.name for one in self._finds.get_outputs()]
        answer = self._finds.run(None, {self._finds.get_inputs()[0].name: pixels})
        told: dict[str, Any] = dict(zip(names, answer, strict=True))
        found: list[_Found] = []
        for stride in _STRIDES:
            found += _decoded(told, stride, width // stride)
        # Rounded to whole pixels the smaller picture may be too long by a part of one.
        whole = np.minimum(small.size, scale * np.array(image.size)).astype(np.float32)
        kept = []
        for score, box, landmarks in found:
            left, top = np.maximum(box[:2], 0)
            right, bottom = np.minimum(box[:2] + box[2:], whole)
            inside = np.array([left, top, right - left, bottom - top], np.float32)
            if inside[2:].min() >= _SMALLEST * max(scale, 0.5):
                kept.append((score, inside / scale, landmarks / scale))
        return kept


# Score, box (4,): left, top, width and height, and landmarks (5, 2), in pixels.
_Found = tuple[float, NDArray[np.float32], NDArray[np.float32]]


def _most(image: Image.Image) -> int:
    """The longer side of the largest scale that says more than the one before."""
    return next((side for side in sorted(_SCALES) if side >= max(image.size)), max(_SCALES))


def _decoded(told: dict[str, Any], stride: int, columns: int) -> list[_Found]:
    """The faces of one grid of YuNet, by where in it each is."""
    of_face, of_object = told[f"cls_{stride}"][0, :, 0], told[f"obj_{stride}"][0, :, 0]
    scores = np.sqrt(np.clip(of_face, 0, 1) * np.clip(of_object, 0, 1))
    cells = np.flatnonzero(scores >= _SCORE)
    corner = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32) * stride
    boxes, points = told[f"bbox_{stride}"][0][cells], told[f"kps_{stride}"][0][cells]
    middles, sizes = corner + boxes[:, :2] * stride, np.exp(boxes[:, 2:]) * stride
    landmarks = corner[:, None] + points.reshape(-1, 5, 2) * stride
    areas = np.concatenate([middles - sizes / 2, sizes], axis=1)
    return [
        (float(score), area, marks)
        for score, area, marks in zip(scores[cells], areas, landmarks, strict=True)
    ]


def _apart(found: list[_Found]) -> list[_Found]:
    """Of those that overlap, the surest."""
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: -one[0]):
        if all(overlap(one[1], other[1]) < _OVERLAP for other in kept):
            kept.append(one)
    return kept


def overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """What two boxes (4,), left, top, width and height, share, in parts of what both cover."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[:2] + one[2:], other[:2] + other[2:])
    shared = float(np.prod(np.maximum(0, high - low)))
    return shared / max(1e-9, float(np.prod(one[2:]) + np.prod(other[2:])) - shared)
