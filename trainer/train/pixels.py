"""Pictures as the network takes them."""

from __future__ import annotations

from torch import Tensor

from trainer.models.config import ImageConfig


def normalised(pictures: Tensor, image: ImageConfig) -> Tensor:
    """uint8 (n, S, S, 3) to float32 (n, 3, S, S) by the model's mean and standard deviation.

    The memory stays in the order of the pictures, which is "channels last".
    """
    pixels = pictures.permute(0, 3, 1, 2).float().div_(255.0)
    mean, std = (pixels.new_tensor(value).view(1, 3, 1, 1) for value in (image.mean, image.std))
    return (pixels - mean) / std
