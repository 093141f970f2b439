"""Which pictures look the same, at a glance and closely, and what is recorded of that."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont
from texts_drawn import BOARDING, BUDGET, WIFI, changed, screen

from index import Catalogue
from photosearch import Library
from photosearch.indexing.decode import look_closely
from photosearch.looks import (
    Look,
    closely,
    glance,
    may_be_same,
    same_at_a_glance,
    same_closely,
    unpacked,
)

Changed = Callable[[Image.Image], Image.Image]


def saved(image: Image.Image, kind: str, quality: int) -> Image.Image:
    data = io.BytesIO()
    image.save(data, kind, quality=quality)
    return Image.open(data).convert("RGB")


def scaled(image: Image.Image, by: float) -> Image.Image:
    size = round(image.width * by), round(image.height * by)
    return image.resize(size, Image.Resampling.LANCZOS)


def glances(one: Image.Image, other: Image.Image) -> tuple[Look, Look]:
    """As they come out of the catalogue."""
    first, second = (unpacked(glance(image, *image.size).packed()) for image in (one, other))
    assert first is not None
    assert second is not None
    return first, second


def are_same(one: Image.Image, other: Image.Image) -> tuple[bool, bool]:
    """At a glance, and closely."""
    close = (closely(image, *image.size) for image in (one, other))
    return same_at_a_glance(*glances(one, other)), same_closely(*close)


SAME: dict[str, Changed] = {
    "saved again": lambda image: saved(image, "JPEG", 70),
    "saved badly": lambda image: saved(image, "JPEG", 40),
    "another format": lambda image: saved(image, "WEBP", 60),
    "half as large": lambda image: scaled(image, 0.5),
    "sent by a messenger": lambda image: saved(scaled(image, 0.6), "JPEG", 70),
    "larger": lambda image: scaled(image, 1.7),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.88),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.07),
    "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(1.5, 60, 2)),
}


def cropped(image: Image.Image, share: float) -> Image.Image:
    width, height = image.size
    return image.crop(
        (
            round(width * share),
            round(height * share),
            width - round(width * share),
            height - round(height * share),
        )
    )


def watermarked(image: Image.Image) -> Image.Image:
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    font = ImageFont.load_default(image.height / 12)
    ImageDraw.Draw(layer).text((20, 20), "(c) Ada 2023", font=font, fill=(255, 255, 255, 160))
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


def turned_head(image: Image.Image) -> Image.Image:
    """A fifth of the picture, in its middle, looks the other way."""
    side = min(image.size) // 5
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    other = image.copy()
    other.paste(image.crop(box).transpose(Image.Transpose.FLIP_LEFT_RIGHT), box)
    return other


def moved_hand(image: Image.Image) -> Image.Image:
    """The next frame of a burst: the camera has moved by a hundredth of the picture."""
    by = round(image.width * 0.01)
    moved = image.transform(image.size, Image.Transform.AFFINE, (1, 0, by, 0, 1, by))
    return cropped(moved, 0.05).resize(image.size)


OTHERS: dict[str, Changed] = {
    "cropped": lambda image: cropped(image, 0.03),
    "the upper half": lambda image: image.crop((0, 0, image.width, image.height // 2)),
    "watermarked": watermarked,
    "a head turned": turned_head,
    "the next of a burst": moved_hand,
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "without colour": lambda image: image.convert("L").convert("RGB"),
}


@pytest.fixture(scope="module", params=["coffee.png", "rocket.jpg", "astronaut.png"])
def photo(request: pytest.FixtureRequest, pictures: Path) -> Image.Image:
    """A photo as cameras make them: larger, and with noise."""
    image = scaled(Image.open(pictures / request.param).convert("RGB"), 2)
    noise = np.random.default_rng(1).normal(0, 4, (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("name", SAME)
def test_a_photo_that_was_saved_again_looks_the_same(photo: Image.Image, name: str) -> None:
    assert are_same(photo, SAME[name](photo)) == (True, True)


@pytest.mark.parametrize("name", OTHERS)
def test_a_photo_that_shows_something_else_does_not(photo: Image.Image, name: str) -> None:
    other = OTHERS[name](photo)
    # The burst's first frame is cut as its second.
    one = cropped(photo, 0.05).resize(photo.size) if name == "the next of a burst" else photo
    assert not are_same(one, other)[1]


@pytest.mark.parametrize("name", SAME)
def test_a_screenshot_that_was_saved_again_looks_the_same(name: str) -> None:
    image = screen(WIFI)
    assert are_same(image, SAME[name](image)) == (True, True)


def at_night(lines: Sequence[str]) -> Image.Image:
    return screen(lines, paper="#101010", ink="#808080", bar="#202020")


PAGES = {
    "of other things": (screen(BOARDING), screen(WIFI)),
    "of other numbers": (screen(WIFI), screen(BUDGET)),
    "another password": (screen(WIFI), screen(changed(WIFI, 1, "Password: pQ2-zzHr-04"))),
    "of a dark screen": (
        at_night(WIFI),
        at_night(changed(WIFI, 1, "Password: pQ2-zzHr-04")),
    ),
    "another seat": (screen(BOARDING), screen(changed(BOARDING, 2, "Seat 14C   Gate B22"))),
}
LETTERS = {
    "one letter": (screen(WIFI), screen(changed(WIFI, 1, "Password: kX9-mwTq-77"))),
    "one digit": (screen(BUDGET), screen(changed(BUDGET, 1, "Food          388.50"))),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("as_saved", ["png", "jpeg", "half as large"])
def test_other_words_are_another_picture(name: str, as_saved: str) -> None:
    one, other = (
        {
            "png": image,
            "jpeg": saved(image, "JPEG", 70),
            "half as large": scaled(image, 0.5),
        }[as_saved]
        for image in PAGES[name]
    )
    assert are_same(one, other) == (False, False)


@pytest.mark.parametrize("name", LETTERS)
def test_one_letter_is_seen_closely(name: str) -> None:
    one, other = LETTERS[name]
    assert not are_same(one, other)[1]
    assert may_be_same(*glances(one, other))


@pytest.mark.parametrize("mean", [6, 30])
def test_noise_in_the_dark_tells_nothing(mean: int) -> None:
    """Two frames of a covered lens are not said to be one picture, nor is one saved again."""
    rng = np.random.default_rng(2)
    one, other = (
        Image.fromarray(np.clip(rng.normal(mean, 4, (600, 800, 3)), 0, 255).astype(np.uint8))
        for _ in range(2)
    )
    assert are_same(one, other) == (False, False)
    assert are_same(one, saved(one, "JPEG", 80)) == (False, False)


def test_a_packed_glance_comes_out_as_it_was(photo: Image.Image) -> None:
    look = glance(photo, *photo.size)
    packed = look.packed()
    back = unpacked(packed)
    assert back is not None
    assert abs(back.grey.astype(int) - look.grey).max() <= 1
    assert (back.colour == look.colour).all()
    assert back.shape == pytest.approx(photo.width / photo.height, rel=1e-6)
    assert len(packed) < 4096
    for damaged in (b"", packed[:50], packed[:-9], packed[:200] + packed[300:]):
        assert unpacked(damaged) is None


def test_what_moves_has_no_look(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "green")]
    for name in ("a.gif", "a.webp", "a.png", "a.tif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert look_closely(str(tmp_path / name)) is None, name
        frames[0].save(tmp_path / f"still {name}")
        assert look_closely(str(tmp_path / f"still {name}")) is not None, name


def looks(library: Library) -> dict[str, bytes]:
    with Catalogue.open(library.folder, readonly=True) as catalogue:
        ids = list(range(1, 30))
        found = catalogue.selection.looks(ids)
        return {Path(it.path).name: found[it.id] for it in catalogue.photos(ids) if it.id in found}


@pytest.mark.slow
def test_photos_of_before_are_looked_at_once(
    photos: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    (photos / "animation.gif").write_bytes(b"")
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    frames[0].save(photos / "animation.gif", save_all=True, append_images=frames[1:])
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        list(library.index([photos], workers=1))
        first = looks(library)
        assert len(first) == 6
        assert "animation.gif" not in first
        with Catalogue.open(library.folder) as catalogue, catalogue._connection.write() as db:
            db.execute("DELETE FROM looks")
        assert list(library.index(workers=1))[-1].reread == 7  # type: ignore[union-attr]
        again = looks(library)
        assert again.keys() == first.keys()
        for name, packed in again.items():
            one, other = unpacked(packed), unpacked(first[name])
            assert one is not None
            assert other is not None
            assert may_be_same(one, other)
        assert list(library.index(workers=1))[-1].reread == 0  # type: ignore[union-attr]
