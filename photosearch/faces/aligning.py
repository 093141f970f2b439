"""A face turned and scaled so that eyes, nose and mouth lie where the network expects them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Pixels of a side of what the network takes.
SIDE = 150
# Where dlib's mean face has the eyes, the tip of the nose, and the corners of the mouth, from left
# to right as seen; in parts of the face, around which there is a quarter of it on each side.
_MEAN = np.array(
    [
        (0.227330, 0.221281),
        (0.752814, 0.221233),
        (0.490127, 0.515625),
        (0.254149, 0.780233),
        (0.726104, 0.780233),
    ]
)
_AROUND = 0.25
_WANTED = (_MEAN + _AROUND) / (1 + 2 * _AROUND) * SIDE


def aligned(image: Image.Image, landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The face with these landmarks, pixels (5, 2) of an RGB image: uint8 (150, 150, 3)."""
    turn, move = similarity(np.asarray(landmarks, np.float64), _WANTED)
    back = np.linalg.inv(turn)
    offset = -back @ move
    rows = (*back[0], offset[0], *back[1], offset[1])
    # Smaller by more than half it would be taken from single pixels.
    shrink = max(1, int(np.sqrt(abs(np.linalg.det(back))) / 2))
    if shrink > 1:
        left, top = np.maximum(0, np.min(landmarks, axis=0) - 2 * np.ptp(landmarks, axis=0).max())
        right, bottom = np.max(landmarks, axis=0) + 2 * np.ptp(landmarks, axis=0).max()
        box = (int(left), int(top), min(image.width, int(right)), min(image.height, int(bottom)))
        near = image.crop(box).reduce(shrink)
        return aligned(near, (np.asarray(landmarks) - (box[0], box[1])) / shrink)
    size = (SIDE, SIDE)
    turned = image.transform(size, Image.Transform.AFFINE, rows, Image.Resampling.BICUBIC)
    return np.asarray(turned, np.uint8)


def similarity(
    source: NDArray[np.float64], target: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn and scale (2, 2) and move (2,) that bring points (n, 2) nearest to others.

    By least squares, without a reflection (Umeyama, 1991).
    """
    middle, goal = source.mean(axis=0), target.mean(axis=0)
    from_middle = source - middle
    left, strengths, right = np.linalg.svd((target - goal).T @ from_middle / len(source))
    signs = np.array([1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    spread = float((from_middle**2).sum(axis=1).mean()) or 1.0
    turn = (strengths * signs).sum() / spread * (left @ np.diag(signs) @ right)
    return turn, goal - turn @ middle


def sharpness(face: NDArray[np.uint8]) -> float:
    """How much detail an aligned face has: the deviation of its second derivative."""
    grey = face[..., :3].astype(np.float32).mean(axis=2)[30:-30, 30:-30]
    second = -4 * grey[1:-1, 1:-1] + grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2]
    return float((second + grey[1:-1, 2:]).std())
