from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.encoders.preprocess import to_rgb

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def settings(size: int = 224, **changes: Any) -> ImageSettings:
    fields: dict[str, Any] = {
        "size": size,
        "resize": "shortest",
        "crop": "center",
        "interpolation": "bicubic",
        "mean": CLIP_MEAN,
        "std": CLIP_STD,
    }
    return ImageSettings(**(fields | changes))


def photos(folder: Path) -> list[Image.Image]:
    """Real pictures, and cuts of one with odd sizes and both orientations."""
    opened = [Image.open(path).convert("RGB") for path in sorted(folder.iterdir())]
    wide = opened[0]
    sizes = [(511, 301), (301, 511), (97, 300), (224, 224), (225, 224), (40, 31), (501, 63)]
    return opened + [wide.crop((3, 5, 3 + width, 5 + height)) for width, height in sizes]


@pytest.mark.parametrize("size", [96, (96, 64), (50, 97)])
@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
def test_it_equals_open_clip(pictures: Path, mode: str, size: int | tuple[int, int]) -> None:
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from open_clip.transform import PreprocessCfg, image_transform_v2

    theirs = image_transform_v2(
        PreprocessCfg(size=size, resize_mode=mode, fill_color=90), is_train=False
    )
    height, width = (size, size) if isinstance(size, int) else size
    crop = "center" if mode == "shortest" else "none"
    ours = Preprocess(settings(height, resize=mode, crop=crop, width=width, fill=90))
    for picture in photos(pictures):
        expected = theirs(picture).numpy()
        found = ours.normalise(ours.pixels(picture)[None])[0]
        assert found.shape == (3, height, width)
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("how", ["shortest", "squash", "squash, cropped"])
@pytest.mark.parametrize("size", [224, 97])
def test_it_equals_torchvision(pictures: Path, how: str, interpolation: str, size: int) -> None:
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode

    mode = InterpolationMode(interpolation)
    if how == "shortest":
        changes = {"resize": "shortest", "crop": "center"}
        shape = [transforms.Resize(size, mode), transforms.CenterCrop(size)]
    else:
        changes = {"resize": "squash", "crop": "center" if "crop" in how else "none"}
        shape = [transforms.Resize((size, size), mode)]
    values = transforms.Compose([*shape, transforms.ToTensor()])
    normalise = transforms.Normalize(CLIP_MEAN, CLIP_STD)
    ours = Preprocess(settings(size, interpolation=interpolation, **changes))

    for picture in photos(pictures):
        pixels = ours.pixels(picture)
        expected = values(picture)

        assert pixels.shape == (size, size, 3)
        assert pixels.dtype == np.uint8
        difference = np.abs(pixels / 255 - expected.numpy().transpose(1, 2, 0)).max()
        assert difference < 1 / 255, picture.size
        np.testing.assert_allclose(
            ours.normalise(pixels[None])[0], normalise(expected).numpy(), atol=1e-5
        )


def test_normalised_pixels_are_float32_planes() -> None:
    pixels = np.zeros((2, 4, 4, 3), np.uint8)
    pixels[1] = 255, 51, 0
    plain = Preprocess(settings(4, mean=(0.5, 0.2, 0.1), std=(0.5, 0.25, 0.2)))

    values = plain.normalise(pixels)

    assert values.dtype == np.float32
    assert values.shape == (2, 3, 4, 4)
    assert values.flags.c_contiguous
    np.testing.assert_allclose(values[0, :, 0, 0], [-1, -0.8, -0.5], atol=1e-6)
    np.testing.assert_allclose(values[1, :, 3, 2], [1, 0, -0.5], atol=1e-6)
    assert plain.normalise(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 3, 4, 4)


def test_pixels_can_be_written_to_and_sent() -> None:
    """They cross from the worker processes; a view of Pillow's own memory would not do."""
    pixels = Preprocess(settings(8)).pixels(Image.new("RGB", (20, 10), "red"))
    pixels[0, 0] = 0
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 700)])
@pytest.mark.parametrize("resize", ["shortest", "squash"])
def test_odd_sizes(size: tuple[int, int], resize: str) -> None:
    pixels = Preprocess(settings(32, resize=resize)).pixels(Image.new("RGB", size, (9, 8, 7)))
    assert pixels.shape == (32, 32, 3)
    assert (pixels == (9, 8, 7)).all()


def test_the_centre_is_what_is_kept() -> None:
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste((0, 0, 255), (100, 0, 200, 100))

    kept = Preprocess(settings(50)).pixels(picture)

    assert (kept[:, 2:-2] == (0, 0, 255)).all()


def test_squashing_keeps_the_edges() -> None:
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste((0, 0, 255), (100, 0, 200, 100))

    kept = Preprocess(settings(60, resize="squash", crop="none")).pixels(picture)

    assert (kept[:, :17] == (255, 0, 0)).all()
    assert (kept[:, 23:37] == (0, 0, 255)).all()
    assert (kept[:, 43:] == (255, 0, 0)).all()


def rgb(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours of a picture's first row, as encoders see them."""
    flat = to_rgb(picture)
    assert flat.mode == "RGB"
    assert flat.size == picture.size
    return [tuple(colour) for colour in np.asarray(flat)[0].tolist()]


def test_transparency_lies_on_white() -> None:
    picture = Image.new("RGBA", (3, 1))
    picture.putdata([(10, 20, 30, 255), (10, 20, 30, 0), (0, 0, 0, 127)])
    assert rgb(picture) == [(10, 20, 30), (255, 255, 255), (128, 128, 128)]

    grey = Image.new("LA", (3, 1))
    grey.putdata([(50, 255), (50, 0), (0, 127)])
    assert rgb(grey) == [(50, 50, 50), (255, 255, 255), (128, 128, 128)]


def test_a_palettes_transparent_colour_lies_on_white(tmp_path: Path) -> None:
    picture = Image.new("P", (3, 1))
    picture.putpalette([200, 0, 0, 0, 200, 0, 0, 0, 200])
    picture.putdata([0, 1, 2])
    assert rgb(picture) == [(200, 0, 0), (0, 200, 0), (0, 0, 200)]

    picture.save(tmp_path / "one.png", transparency=1)
    with Image.open(tmp_path / "one.png") as one:
        assert one.mode == "P"
        assert rgb(one) == [(200, 0, 0), (255, 255, 255), (0, 0, 200)]

    picture.save(tmp_path / "each.png", transparency=bytes([255, 0, 128]))
    with Image.open(tmp_path / "each.png") as each:
        assert each.mode == "P"
        first, second, third = rgb(each)
    assert (first, second) == ((200, 0, 0), (255, 255, 255))
    assert third == (127, 127, 227)


@pytest.mark.parametrize(("mode", "colour"), [("RGB", (1, 2, 3)), ("L", 7)])
def test_a_transparent_colour_of_a_png_lies_on_white(
    tmp_path: Path, mode: str, colour: Any
) -> None:
    picture = Image.new(mode, (2, 1), colour)
    picture.putpixel((1, 0), (90, 90, 90) if mode == "RGB" else 90)
    picture.save(tmp_path / "keyed.png", transparency=colour)
    with Image.open(tmp_path / "keyed.png") as keyed:
        assert rgb(keyed) == [(255, 255, 255), (90, 90, 90)]


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_deep_greys_span_black_to_white(mode: str) -> None:
    kinds = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}
    values = np.array([[0, 257, 128 * 257, 65535]], kinds[mode])
    picture = Image.frombytes(mode, (4, 1), values.tobytes())
    assert [colour[0] for colour in rgb(picture)] == [0, 1, 128, 255]


def test_a_16_bit_png_looks_like_its_8_bit_twin(pictures: Path, tmp_path: Path) -> None:
    with Image.open(pictures / "camera.png") as file:
        grey = file.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    deep.save(tmp_path / "deep.png")
    with Image.open(tmp_path / "deep.png") as twin:
        assert twin.mode.startswith("I")
        np.testing.assert_array_equal(np.asarray(to_rgb(twin)), np.asarray(to_rgb(grey)))


def test_a_dark_16_bit_picture_stays_dark() -> None:
    """The whole range is what the mode says, not what one picture happens to use."""
    picture = Image.fromarray(np.array([[0, 100, 200]], np.uint16))
    assert max(colour[0] for colour in rgb(picture)) <= 1


@pytest.mark.parametrize(("white", "values"), [(1.0, [0, 0.5, 1]), (255.0, [0, 127.5, 255])])
def test_float_greys_span_black_to_white(white: float, values: list[float]) -> None:
    picture = Image.fromarray(np.array([values], np.float32))
    black, middle, top = (colour[0] for colour in rgb(picture))
    assert (black, top) == (0, 255)
    assert middle in (127, 128)


def test_floats_that_are_no_numbers_do_not_stop_a_picture() -> None:
    picture = Image.fromarray(np.array([[np.nan, -5, 200, np.inf]], np.float32))
    assert len(rgb(picture)) == 4


def test_print_colours_and_bits() -> None:
    cmyk = Image.new("CMYK", (2, 1))
    cmyk.putdata([(0, 0, 0, 0), (0, 255, 255, 0)])
    assert rgb(cmyk) == [(255, 255, 255), (255, 0, 0)]

    bits = Image.new("1", (2, 1))
    bits.putdata([0, 255])
    assert rgb(bits) == [(0, 0, 0), (255, 255, 255)]

    grey = Image.new("L", (2, 1))
    grey.putdata([3, 250])
    assert rgb(grey) == [(3, 3, 3), (250, 250, 250)]


MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB"]
MODES += ["HSV", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pillow_can_be_encoded(mode: str) -> None:
    picture = Image.new(mode, (30, 20))
    assert Preprocess(settings(16)).pixels(picture).shape == (16, 16, 3)


def test_the_picture_itself_stays_as_it_is(pictures: Path) -> None:
    with Image.open(pictures / "astronaut.png") as file:
        picture = file.convert("RGBA")
    before = picture.tobytes()
    Preprocess(settings(64)).pixels(picture)
    assert picture.tobytes() == before
    assert picture.mode == "RGBA"
