"""Views for classifiers: drawn from a photo's key, inside it, and replayed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainer.data.views import WHOLE, View, draw_view


@pytest.fixture
def photo() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    return Image.fromarray(values).resize((160, 120), Image.Resampling.BICUBIC)


def test_whole_photo_is_only_resized(photo: Image.Image) -> None:
    assert draw_view("any", 0) == WHOLE
    expected = photo.resize((32, 32), Image.Resampling.BICUBIC)
    assert np.array_equal(WHOLE.replay(photo, 32), expected)


def test_views_stay_inside_and_differ() -> None:
    views = [draw_view(f"photo {number}", 1) for number in range(500)]
    for view in views:
        assert 0 <= view.left <= view.left + view.width <= 1 + 1e-9
        assert 0 <= view.top <= view.top + view.height <= 1 + 1e-9
    assert len({view.left for view in views}) > 400
    assert 0.4 < np.mean([view.flip for view in views]) < 0.6
    assert draw_view("a", 1) == draw_view("a", 1) != draw_view("a", 2)


def test_flip_and_crop_show_the_right_part(photo: Image.Image) -> None:
    half = np.asarray(View(left=0.5, width=0.5).replay(photo, 32), float)
    cut = photo.crop((80, 0, 160, 120)).resize((32, 32), Image.Resampling.BICUBIC)
    # Only the column at the cut differs: the filter may see what lies beyond it.
    assert np.abs(half - np.asarray(cut, float))[:, 2:].max() <= 1
    mirrored = np.asarray(View(left=0.5, width=0.5, flip=True).replay(photo, 32), float)
    assert np.array_equal(mirrored, half[:, ::-1])


def test_degraded_views_lose_detail(photo: Image.Image) -> None:
    sharp = np.asarray(WHOLE.replay(photo, 64), float)
    poor = np.asarray(View(short_side=8).replay(photo, 64), float)
    assert np.abs(np.diff(poor, axis=1)).mean() < 0.5 * np.abs(np.diff(sharp, axis=1)).mean()
    kinds = [draw_view("photo", number, degrade=True) for number in (1, 2, 3)]
    assert [view.short_side > 0 for view in kinds] == [True, False, True]
