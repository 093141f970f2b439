"""Photo tars: order, pairing, decoding, and that damage is never passed over in silence."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image
from tars import write_tar

from trainer.data.photo_tars import PhotoTarError, decode, read_photos


def picture(colour: object, *, mode: str = "RGB", fmt: str = "PNG", size=(6, 4), **save) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, fmt, **save)
    return buffer.getvalue()


def test_samples_come_in_file_order_with_their_metadata(tmp_path):
    png = picture("red")
    tar = write_tar(
        tmp_path / "a.tar",
        [
            ("z.png", png),
            ("z.json", json.dumps({"captions": ["a red field"]}).encode()),
            ("sub.dir/a.json", b'{"label": "x"}'),
            ("sub.dir/a.png", png),
            ("sub.dir/._a.png", b"AppleDouble"),
            ("m.txt", b"belongs to another reader"),
            ("m.PNG", png),
        ],
    )
    samples = list(read_photos(tar, tar))
    assert [s.key for s in samples] == ["z", "sub.dir/a", "m"] * 2
    assert [s.meta for s in samples[:3]] == [{"captions": ["a red field"]}, {"label": "x"}, {}]
    assert samples[0].image_bytes == png
    assert samples[2].origin == f"{tar}: m.PNG"


def test_decode_is_upright_rgb_on_white(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    tar = write_tar(
        tmp_path / "a.tar",
        [
            ("turned.jpg", picture("blue", fmt="JPEG", size=(32, 16), exif=exif)),
            ("clear.png", picture((0, 0, 0, 0), mode="RGBA")),
            ("grey.webp", picture(90, mode="L", fmt="WEBP", lossless=True)),
        ],
    )
    turned, clear, grey = map(decode, read_photos(tar))
    assert turned.size == (16, 32)
    assert clear.getpixel((0, 0)) == (255, 255, 255)
    assert {turned.mode, clear.mode, grey.mode} == {"RGB"}
    assert grey.getpixel((0, 0)) == (90, 90, 90)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([("a.json", b"{}")], r"a\.json has no picture"),
        ([("a.png", b"x"), ("a.json", b"{")], r"a\.json is not JSON"),
        ([("a.png", b"x"), ("a.json", b"[]")], r"a\.json must hold a JSON object"),
        ([("a.png", b"x"), ("a.webp", b"y")], r"a\.webp is a second picture beside a\.png"),
        ([("a.json", b"{}"), ("a.json", b"{}")], r"a\.json stands twice"),
    ],
)
def test_ill_formed_samples_name_tar_and_member(tmp_path, files, message):
    tar = write_tar(tmp_path / "bad.tar", files)
    with pytest.raises(PhotoTarError, match=rf"bad\.tar: .*{message}"):
        list(read_photos(tar))


def test_an_unreadable_picture_names_tar_and_member(tmp_path):
    whole = picture((1, 2, 3), fmt="JPEG", size=(64, 64))
    files = [("cut.jpg", whole[: len(whole) // 2]), ("none.png", b"no picture")]
    for sample in read_photos(write_tar(tmp_path / "bad.tar", files)):
        with pytest.raises(PhotoTarError, match=rf"bad\.tar: {sample.key}\.\w+: not a readable"):
            decode(sample)


class TestDamagedTar:
    """Cut anywhere or with one block overwritten, a tar must raise rather than end early."""

    @pytest.fixture
    def tar(self, tmp_path):
        noise = bytes(range(256)) * 5  # 1,280 bytes: header + three blocks a member
        return write_tar(tmp_path / "t.tar", [(f"{i}.png", noise) for i in range(3)])

    @pytest.mark.parametrize("keep", [100, 512, 1000, 2048, 2300, 3000, 4096, 6144])
    def test_cut_short(self, tar, keep):
        tar.write_bytes(tar.read_bytes()[:keep])
        with pytest.raises(PhotoTarError, match=r"t\.tar: "):
            list(read_photos(tar))

    def test_overwritten_header_in_the_middle(self, tar):
        damaged = bytearray(tar.read_bytes())
        damaged[2048 : 2048 + 512] = b"\xff" * 512
        tar.write_bytes(damaged)
        with pytest.raises(PhotoTarError, match=r"t\.tar: damaged or cut short after 0\.png"):
            list(read_photos(tar))

    def test_not_a_tar_and_not_there(self, tmp_path):
        (tmp_path / "x.tar").write_bytes(b"plain text " * 100)
        with pytest.raises(PhotoTarError, match=r"x\.tar: damaged"):
            list(read_photos(tmp_path / "x.tar"))
        with pytest.raises(PhotoTarError, match=r"y\.tar: no such file"):
            list(read_photos(tmp_path / "y.tar"))
