"""Augmentations: torchvision's, drawn from the key alone, replayed from a few stored numbers."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from trainer.reinforce.augment import OPERATIONS, Augmentation, AugmentSettings, draw, replay

SOURCE = (160, 120)

FROZEN = [
    [[195, 294, 262, 280], [["TranslateX", 0.13595166163141995], ["Brightness", 0.27]]],
    [[65, 250, 393, 337], [["Contrast", 0.27], ["ShearX", -0.09]]],
]
FROZEN_DIGEST = "624df723860a9fb902ccf3b14844917a7d67413dc53fbba205cb18a4c147509a"


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    return Image.fromarray(values).resize(SOURCE, Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def torchvision():
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    import torchvision.transforms

    return torchvision


def test_crop_is_torchvisions(photo: Image.Image, torchvision) -> None:
    functional = torchvision.transforms.functional
    for index in range(20):
        view = draw("photo", index, SOURCE, AugmentSettings(randaugment_ops=0))
        expected = functional.resized_crop(
            photo, view.top, view.left, view.height, view.width, [48, 48],
            functional.InterpolationMode.BICUBIC,
        )  # fmt: skip
        assert np.array_equal(replay(photo, view, 48), expected), view


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("magnitude", [4, 9, 30])
def test_operations_are_torchvisions(photo, torchvision, name, magnitude) -> None:
    """Pixel for pixel, with the magnitudes of torchvision's own augmentation space."""
    from torchvision.transforms.autoaugment import RandAugment, _apply_op

    size = 56
    whole = Augmentation(0, 0, photo.height, photo.width)
    crop = replay(photo, whole, size)
    magnitudes, signed = RandAugment()._augmentation_space(31, (size, size))[name]
    theirs = float(magnitudes[magnitude]) if magnitudes.ndim else 0.0
    for sign in (1, -1) if signed else (1,):
        expected = _apply_op(
            crop, name, sign * theirs, torchvision.transforms.InterpolationMode.NEAREST, None
        )
        ours = sign * theirs / (size if name.startswith("Translate") else 1)
        view = replay(photo, Augmentation(0, 0, 120, 160, ((name, ours),)), size)
        assert np.array_equal(view, expected)


def test_drawn_magnitudes_are_torchvisions(torchvision) -> None:
    from torchvision.transforms.autoaugment import RandAugment

    for level in (0, 9, 30):
        space = RandAugment()._augmentation_space(31, (100, 100))
        assert tuple(space) == OPERATIONS
        drawn: dict[str, set[float]] = {}
        for index in range(600):
            view = draw("k", index, SOURCE, AugmentSettings(magnitude=level))
            for name, magnitude in view.operations:
                drawn.setdefault(name, set()).add(magnitude)
        assert drawn.keys() == space.keys()
        for name, (magnitudes, signed) in space.items():
            value = float(magnitudes[level]) if magnitudes.ndim else 0.0
            value /= 100 if name.startswith("Translate") else 1
            expected = {-value, value} if signed else {value}
            assert sorted(drawn[name]) == pytest.approx(sorted(expected), abs=1e-4), name


def test_crops_are_spread_as_settings_say() -> None:
    settings = AugmentSettings(crop_scale=(0.2, 0.5))
    views = [draw(f"photo {n}", 1, (400, 300), settings) for n in range(800)]
    areas = [view.height * view.width / 120_000 for view in views]
    ratios = [view.width / view.height for view in views]
    assert min(areas) == pytest.approx(0.2, abs=0.01)
    assert max(areas) == pytest.approx(0.5, abs=0.01)
    assert np.mean(areas) == pytest.approx(0.35, abs=0.01)
    assert min(ratios) == pytest.approx(3 / 4, abs=0.02)
    assert max(ratios) == pytest.approx(4 / 3, abs=0.02)
    assert np.mean(np.log(ratios)) == pytest.approx(0, abs=0.02)
    for view in views:
        assert 0 <= view.top <= view.top + view.height <= 300
        assert 0 <= view.left <= view.left + view.width <= 400
    assert {view.top for view in views if view.height > 290} <= set(range(11))


@pytest.mark.parametrize("size", [(1, 1), (3000, 1), (1, 3000), (2000, 40), (7, 5)])
def test_any_size_of_photo_has_views(size: tuple[int, int]) -> None:
    photo = Image.new("RGB", size, "red")
    for index in range(8):
        view = draw("odd", index, size, AugmentSettings())
        assert replay(photo, view, 8).size == (8, 8)
    widest = draw("odd", 0, (2000, 40), AugmentSettings(crop_scale=(1, 1)))
    assert (widest.height, widest.width) == (40, 53)
    assert widest.left == (2000 - 53) // 2


def test_draws_depend_on_seed_key_and_index_alone() -> None:
    settings = AugmentSettings()
    first = draw("ключ 1", 3, SOURCE, settings, seed=5)
    program = (
        "from trainer.reinforce.augment import *\n"
        "print(draw('ключ 1', 3, (160, 120), AugmentSettings(), seed=5))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == str(first)
    others = [
        draw("ключ 1", 3, SOURCE, settings, seed=6),
        draw("ключ 2", 3, SOURCE, settings, seed=5),
        draw("ключ 1", 4, SOURCE, settings, seed=5),
    ]
    assert first not in others
    assert len(set(others)) == 3


def test_these_numbers_never_change() -> None:
    """Stored embeddings are worthless if a later version draws or reads other views."""
    drawn = [draw("photo-1", n, (640, 480), AugmentSettings(), seed=1) for n in range(2)]
    assert [view.to_json() for view in drawn] == FROZEN
    assert AugmentSettings().digest == FROZEN_DIGEST


def test_whole_first() -> None:
    settings = AugmentSettings(whole_first=True)
    assert draw("k", 0, SOURCE, settings) == Augmentation(0, 0, 120, 160)
    assert draw("k", 1, SOURCE, settings) == draw("k", 1, SOURCE, AugmentSettings())


def test_views_replay_alike_at_any_size(photo: Image.Image) -> None:
    """A shift is a share of the picture: at twice the size it is the same shift."""
    view = Augmentation(10, 20, 96, 96, (("TranslateX", 0.25), ("TranslateY", -0.125)))
    small, large = (np.asarray(replay(photo, view, size), float) for size in (48, 96))
    assert not small[:, :12].any()
    assert small[:42, 12:].all(axis=2).any()
    assert not small[42:].any()
    assert not large[:, :24].any()
    assert not large[84:].any()
    halved = Image.fromarray(large.astype(np.uint8)).resize((48, 48), Image.Resampling.BICUBIC)
    middle = (slice(2, 40), slice(14, 46))
    assert np.abs(np.asarray(halved, float) - small)[middle].mean() < 6


def test_json_gives_the_same_view() -> None:
    for index in range(40):
        view = draw("k", index, SOURCE, AugmentSettings())
        assert Augmentation.from_json(json.loads(json.dumps(view.to_json()))) == view


@pytest.mark.parametrize(
    "value",
    [
        None,
        [[0, 0, 5, 5]],
        [[0, 0, 5], []],
        [[0, 0, 5, 5], [["Melt", 1.0]]],
        [[0, -1, 5, 5], []],
        [[0, 0, 0, 5], []],
        [[0, 0, 5, 5], [["Rotate", None]]],
    ],
)
def test_what_is_no_augmentation_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not the parameters of an augmentation"):
        Augmentation.from_json(value)


def test_a_crop_outside_the_picture_is_refused(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match=r"ends at \(161, 50\), outside the picture's 160 x 120"):
        replay(photo, Augmentation(0, 61, 50, 100), 32)


def test_settings_are_checked_and_told_apart() -> None:
    settings = AugmentSettings(crop_scale=(0.2, 0.9), randaugment_ops=1, whole_first=True)
    assert AugmentSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert settings.digest != AugmentSettings().digest
    for wrong in ({"crop_scale": (0, 1)}, {"crop_scale": (0.5, 0.2)}, {"crop_scale": (0.5, 2)}):
        with pytest.raises(ValueError, match="crop scale"):
            AugmentSettings(**wrong)
    with pytest.raises(ValueError, match="crop ratio"):
        AugmentSettings(crop_ratio=(2, math.sqrt(2)))
    with pytest.raises(ValueError, match="magnitude 0 to 30"):
        AugmentSettings(magnitude=31)
