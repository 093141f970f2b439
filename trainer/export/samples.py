"""Inputs to compare a bundle with PyTorch on: pictures and sentences like those of real use."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import ImageSettings, Preprocess, Tokenise


@dataclass(frozen=True)
class Samples:
    """Pictures and texts, as they are and as a model with these settings takes them.

    pixels: uint8 (n, S, S, 3); images: the same normalised, float32 (n, 3, S, S); texts: n of them;
    ids: int64 (n, L), where L is the context length.
    """

    settings: ImageSettings
    pixels: NDArray[np.uint8]
    images: NDArray[np.float32]
    texts: list[str]
    ids: NDArray[np.int64]


def samples_for(settings: ImageSettings, tokenise: Tokenise, count: int) -> Samples:
    """`count` pictures and as many texts, one of which fills the context."""
    pixels, texts = sample_pixels(count, settings.size), sample_texts(count)
    images = Preprocess(settings).normalise(pixels)
    return Samples(settings, pixels, images, texts, tokenise(texts))


def sample_pixels(count: int, size: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures uint8 (count, size, size, 3) with the statistics of photographs.

    Amplitudes fall off as one over spatial frequency, as in natural images (Field 1987, "Relations
    between the statistics of natural images and the response properties of cortical cells"), and
    the channels are correlated. White noise would leave most of a network's channels idle.
    """
    rng = np.random.default_rng(seed)
    across, down = np.fft.rfftfreq(size), np.fft.fftfreq(size)
    frequency = np.maximum(np.hypot(down[:, None], across), 1 / size)
    noise = rng.normal(size=(count, 4, size, size))
    fields = np.fft.irfft2(np.fft.rfft2(noise) / frequency, s=(size, size))
    # One field of light and shade that the channels share, and one of their own at half strength.
    channels = fields[:, :1] + 0.5 * fields[:, 1:]
    channels /= channels.std(axis=(1, 2, 3), keepdims=True)
    brightness = rng.uniform(80, 170, size=(count, 1, 1, 1))
    pixels = np.clip(brightness + 50 * channels, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))


def sample_texts(count: int) -> list[str]:
    """Texts as people type them: single words, phrases, sentences, the empty and the overlong."""
    subjects = ("a dog", "two children", "an old red car", "my grandmother", "a bowl of soup")
    places = ("on a beach", "in the snow", "at night", "next to a window", "in Zürich", "")
    tails = ("", ", black and white", " - photo from 2019!", " while it is raining heavily")
    special = ["", "sunset", "Ünïcödé and 🐕", "very " * 200 + "long"]
    parts = product(tails, places, subjects)
    sentences = (f"{subject} {place}{tail}".strip() for tail, place, subject in parts)
    return [*special, *islice(sentences, max(count - len(special), 0))][:count]
