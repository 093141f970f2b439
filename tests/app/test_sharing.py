"""Copies for others: originals and JPEGs, with a position or without, zipped or in a folder."""

from __future__ import annotations

import errno
import io
import os
import shutil
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optional import module
from photo_metadata import camera_exif, exif, xmp
from PIL import ExifTags, Image, ImageCms
from test_formats import dng, mosaic
from videos import video

from photosearch import Library
from photosearch.errors import UsageError
from photosearch.indexing.decode import prepare_decoders, read_metadata
from photosearch.serving.shrinking import Shrinkers
from photosearch.sharing.folder import FolderError, indexed_above
from photosearch.sharing.making import ScratchError
from photosearch.sharing.order import Order
from photosearch.sharing.stripped import DamagedError, bare_jpeg
from photosearch.sharing.wanted import Shared, Tally, Wanted, estimate, shared

pytestmark = pytest.mark.slow

ROME = (41.891667, 12.483333)
ORIGINALS = Wanted(position=True)
BARE = Wanted()
SMALL = Wanted(jpeg=True, side=96)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def telling_jpeg(picture: Image.Image, profile: bytes | None = None) -> bytes:
    """One that says where it was taken in each way there is; stored on its side."""
    said = camera_exif()
    said[ExifTags.Base.Orientation] = 6
    said[ExifTags.Base.Copyright] = "Anna"
    more = said.get_ifd(ExifTags.IFD.Exif)
    more[ExifTags.Base.MakerNote] = b"Landmark: Colosseum"
    more[ExifTags.Base.BodySerialNumber] = "SERIAL 1234"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=said, icc_profile=profile, quality=90, comment=b"in Rome")
    content = out.getvalue()
    packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp(
        "", 'exif:GPSLatitude="41,53.5N" exif:GPSLongitude="12,29.0E" photoshop:City="Rome"'
    )
    city = b"\x1c\x02\x5a" + struct.pack(">H", 4) + b"Rome"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(city)) + city + b"\0" * (len(city) % 2)
    added = segment(0xE1, packet) + segment(0xED, b"Photoshop 3.0\0" + resource)
    second = io.BytesIO()
    picture.save(second, "JPEG", exif=camera_exif())
    return content[:2] + added + content[2:] + second.getvalue()


@pytest.fixture(scope="module")
def cat(pictures: Path) -> Image.Image:
    with Image.open(pictures / "chelsea.png") as image:
        return image.convert("RGB").resize((240, 160))


@pytest.fixture(scope="module")
def library(
    tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, cat: Image.Image
) -> Iterator[Library]:
    """A picture in every format, nearly all from Rome, two of one name, and two videos."""
    place = tmp_path_factory.mktemp("sharing")
    folder = place / "photos"
    (folder / "more").mkdir(parents=True)
    prepare_decoders()
    (folder / "jpg.jpg").write_bytes(telling_jpeg(cat))
    (folder / "more" / "JPG.jpg").write_bytes(telling_jpeg(cat.rotate(180)))
    for suffix in ("png", "tif", "heic", "avif", "webp"):
        cat.save(folder / f"{suffix}.{suffix}", exif=camera_exif().tobytes())
    cat.save(folder / "gif.gif")
    (folder / "dng.dng").write_bytes(dng(None, mosaic(cat).astype(np.uint16), 1))
    where = {"location": "+41.8917+012.4833/", "com.apple.quicktime.make": "Apple"}
    video(folder / "clip.mov", metadata=where)
    video(folder / "clip.mp4", metadata=where, codec="libx264")
    with Library.open(place / "library", model=tiny_bundle) as library:
        for _ in library.index([folder]):
            pass
        yield library


@pytest.fixture(scope="module")
def pool() -> Iterator[Shrinkers]:
    pool = Shrinkers(2)
    yield pool
    pool.close()


def photos(library: Library, *names: str) -> list[Shared]:
    """The photos of these names, or all, in the order of their paths."""
    every = shared(library, [one.id for one in library.photos.newest(100)])
    every.sort(key=lambda one: one.photo.path)
    if not names:
        return every
    by_name = {os.path.basename(one.photo.path): one for one in every}
    return [by_name[name] for name in names]


def copies(
    given: list[Shared], wanted: Wanted, pool: Shrinkers, folder: Path
) -> tuple[dict[str, Path], Tally]:
    """The copies by name, in a folder of their own."""
    folder.mkdir(exist_ok=True)
    order = Order(given, wanted)
    paths = list(order.written(pool, folder))
    assert sorted(folder.iterdir()) == sorted(paths)  # and nothing beside
    return {path.name: path for path in paths}, order.tally


def told_by_exiftool(path: Path) -> str:
    """All that exiftool finds in a file, embedded ones too; nothing where it is not installed."""
    if shutil.which("exiftool") is None:
        return ""
    command = ["exiftool", "-a", "-G1", "-ee3", "-u", "-U", str(path)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return done.stdout.decode("utf-8", "replace")


def check_tells_no_place(path: Path) -> None:
    metadata = read_metadata(str(path))
    assert metadata.latitude is None, path
    content = path.read_bytes()
    for word in (b"Rome", b"Colosseum", b"GPS", b"SERIAL", b"+41.8917", b"NIKON CORPORATION"):
        assert word not in content, (path, word)
    told = told_by_exiftool(path)
    for word in ("GPS", "Location", "City", "Serial", "Latitude"):
        assert word not in told, told


def test_originals_are_the_same_bytes_under_names_that_all_systems_take(
    library: Library, pool: Shrinkers, tmp_path: Path
) -> None:
    given = photos(library)
    made, tally = copies(given, ORIGINALS, pool, tmp_path / "out")
    assert len(made) == len(given) == tally.files == tally.done
    assert {"jpg.jpg", "JPG (2).jpg"} <= made.keys() or {"JPG.jpg", "jpg (2).jpg"} <= made.keys()
    for one, path in zip(given, made.values(), strict=True):
        assert path.read_bytes() == Path(one.photo.path).read_bytes()
        assert path.stat().st_mtime_ns == one.photo.stamp.mtime_ns
    assert not tally.left_out


def test_jpegs_of_every_format(
    library: Library, pool: Shrinkers, tmp_path: Path, cat: Image.Image
) -> None:
    module("av"), module("rawpy")
    made, tally = copies(photos(library), SMALL, pool, tmp_path / "out")
    assert not tally.left_out
    assert tally.converted == 0  # all were asked for as JPEGs
    pictures = [path for path in made.values() if path.suffix == ".jpg"]
    assert len(pictures) == 9
    for path in pictures:
        check_tells_no_place(path)
        with Image.open(path) as image:
            assert image.format == "JPEG"
            assert image.getexif().get(ExifTags.Base.Orientation) is None
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            assert "sRGB" in ImageCms.getProfileDescription(profile)
            lying = path.stem not in ("jpg", "jpg (2)", "JPG", "JPG (2)")
            assert image.size == ((96, 64) if lying else (64, 96)), path
            if lying and path.stem not in ("dng", "gif"):
                difference = np.asarray(image, int) - np.asarray(cat.resize((96, 64)), int)
                assert np.abs(difference).mean() < 8, path
    said = read_metadata(str(made["heic.jpg"]))
    assert (said.taken_at, said.taken_offset_minutes) == ("2019-06-01T14:30:05", 120)
    assert (said.camera, said.lens) == ("NIKON D750", "AF-S 50mm f/1.8G")
    assert (said.exposure_time, said.f_number, said.iso, said.focal_length) == (0.004, 2.8, 400, 50)
    assert said.caption == "By the river"


def test_nothing_is_made_larger(library: Library, pool: Shrinkers, tmp_path: Path) -> None:
    for number, side in enumerate((2048, None)):
        wanted = Wanted(jpeg=True, side=side)
        made, _ = copies(photos(library, "heic.heic"), wanted, pool, tmp_path / str(number))
        with Image.open(made["heic.jpg"]) as image:
            assert image.size == (240, 160)


def test_a_position_is_kept_where_that_is_asked(
    library: Library, pool: Shrinkers, tmp_path: Path
) -> None:
    wanted = Wanted(jpeg=True, side=96, position=True)
    made, _ = copies(photos(library, "heic.heic", "jpg.jpg"), wanted, pool, tmp_path / "out")
    for path in made.values():
        said = read_metadata(str(path))
        assert (said.latitude, said.longitude) == pytest.approx(ROME, abs=1e-5)
        with Image.open(path) as image:
            assert "SERIAL" not in repr(image.info["exif"])


@pytest.mark.parametrize("where", [(-33.8688, -151.2093), (0.0, 179.99999), (59.9999999, -0.5)])
def test_positions_in_all_quarters_of_the_world(
    pool: Shrinkers, library: Library, tmp_path: Path, where: tuple[float, float]
) -> None:
    from dataclasses import replace

    (one,) = photos(library, "gif.gif")
    known = replace(one.metadata, latitude=where[0], longitude=where[1])
    wanted = Wanted(jpeg=True, side=64, position=True)
    made, _ = copies([Shared(one.photo, known)], wanted, pool, tmp_path / "out")
    said = read_metadata(str(made["gif.jpg"]))
    assert (said.latitude, said.longitude) == pytest.approx(where, abs=1e-6)


def test_nothing_at_all_is_said_without_details(
    library: Library, pool: Shrinkers, tmp_path: Path
) -> None:
    given = photos(library, "heic.heic", "jpg.jpg")
    made, _ = copies(given, Wanted(jpeg=True, side=96, details=False), pool, tmp_path / "out")
    for path in made.values():
        with Image.open(path) as image:
            assert "exif" not in image.info
    made, _ = copies(given[1:], Wanted(details=False), pool, tmp_path / "bare")
    with Image.open(made["jpg.jpg"]) as image:
        assert dict(image.getexif()) == {ExifTags.Base.Orientation: 6}


def test_originals_without_a_position(library: Library, pool: Shrinkers, tmp_path: Path) -> None:
    """A JPEG keeps its pixels, a video its pictures; others become JPEGs, which is counted."""
    module("av"), module("rawpy")
    given = photos(library)
    assert estimate(given, BARE).converted == 7
    made, tally = copies(given, BARE, pool, tmp_path / "out")
    assert (tally.converted, tally.left_out) == (7, [])
    for path in made.values():
        check_tells_no_place(path)
    for one, path in zip(given, made.values(), strict=True):
        if one.is_jpeg:
            with Image.open(one.photo.path) as old, Image.open(path) as new:
                assert new.tobytes() == old.tobytes()
                kept = new.getexif()
                assert kept[ExifTags.Base.Orientation] == 6
                assert kept[ExifTags.Base.Copyright] == "Anna"
                assert kept[ExifTags.Base.Model] == "NIKON D750"
    import av

    for name in ("clip.mov", "clip.mp4"):
        with av.open(str(made[name])) as new, av.open(photos(library, name)[0].photo.path) as old:
            shown = [np.asarray(frame.to_image()) for frame in new.decode(video=0)]
            wanted = [np.asarray(frame.to_image()) for frame in old.decode(video=0)]
            assert np.array_equal(shown, wanted)


def test_a_bare_jpeg_has_the_same_pixels_and_colours(cat: Image.Image) -> None:
    from photosearch.indexing.formats.profiles import adobe_rgb

    for options in ({"quality": 90}, {"progressive": True}, {"restart_marker_blocks": 2}):
        out = io.BytesIO()
        cat.save(out, "JPEG", exif=camera_exif(), icc_profile=adobe_rgb(), **options)
        bare = bare_jpeg(out.getvalue(), b"")
        with Image.open(io.BytesIO(bare)) as new, Image.open(out) as old:
            assert new.tobytes() == old.tobytes()
            assert new.info["icc_profile"] == adobe_rgb()
            assert "exif" not in new.info
    # What is behind the end is another picture, or a video.
    assert bare_jpeg(out.getvalue() + b"\0ftypmp42 Rome", b"") == bare
    for damaged in (out.getvalue()[:400], out.getvalue()[:-2], b"\x89PNG", b"\xff\xd8"):
        with pytest.raises(DamagedError):
            bare_jpeg(damaged, b"")


def test_adobe_rgb_that_only_exif_says_becomes_a_profile(
    tmp_path: Path, tiny_bundle: Path, cat: Image.Image, pool: Shrinkers
) -> None:
    said = exif()
    said.get_ifd(ExifTags.IFD.Exif)[0xA001] = 0xFFFF
    said.get_ifd(ExifTags.IFD.Exif)[0xA005] = {1: "R03"}
    (tmp_path / "photos").mkdir()
    cat.save(tmp_path / "photos" / "wide.jpg", exif=said)
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        list(library.index([tmp_path / "photos"]))
        made, _ = copies(photos(library), BARE, pool, tmp_path / "out")
    from photosearch.indexing.formats.profiles import adobe_rgb

    with Image.open(made["wide.jpg"]) as image:
        assert image.info["icc_profile"] == adobe_rgb()


class TestTroubles:
    @pytest.fixture
    def given(self, tmp_path: Path, tiny_bundle: Path, cat: Image.Image) -> list[Shared]:
        """Twelve photos in a library of their own."""
        folder = tmp_path / "photos"
        folder.mkdir()
        for number in range(12):
            cat.resize((120, 80)).rotate(number).save(folder / f"{number:02}.png")
        with Library.open(tmp_path / "library", model=tiny_bundle) as library:
            list(library.index([folder]))
            return photos(library)

    @pytest.mark.parametrize("wanted", [ORIGINALS, SMALL])
    def test_what_cannot_be_read_is_told_and_the_rest_comes(
        self, given: list[Shared], pool: Shrinkers, tmp_path: Path, wanted: Wanted
    ) -> None:
        os.remove(given[1].photo.path)
        Path(given[2].photo.path).write_bytes(b"another")
        secret = tmp_path / "secret"
        secret.write_text("secret")
        os.remove(given[3].photo.path)
        os.symlink(secret, given[3].photo.path)
        made, tally = copies(given, wanted, pool, tmp_path / "out")
        assert [name[:2] for name in made] == [f"{n:02}" for n in range(12) if n not in (1, 2, 3)]
        assert [(Path(path).name, reason.split(";")[0]) for path, reason in tally.left_out] == [
            ("01.png", "is not there any more"),
            ("02.png", "The file has changed since it was indexed"),
            ("03.png", "The file has changed since it was indexed"),
        ]
        assert tally.done == tally.total == 12

        order = Order(given, wanted)
        with zipfile.ZipFile(io.BytesIO(b"".join(order.zipped(pool)))) as archive:
            assert archive.testzip() is None
            assert archive.namelist() == [*made, "left out.txt"]
            assert archive.read("left out.txt").decode().count("\n") == 3
            assert b"secret" not in b"".join(map(archive.read, archive.namelist()))

    def test_damage_that_appears_only_when_decoded(
        self, given: list[Shared], pool: Shrinkers, tmp_path: Path
    ) -> None:
        photo = given[5].photo
        content = bytearray(Path(photo.path).read_bytes())
        content[16:24] = b"\xff" * 8
        Path(photo.path).write_bytes(content)
        os.utime(photo.path, ns=(photo.stamp.mtime_ns, photo.stamp.mtime_ns))
        made, tally = copies(given, SMALL, pool, tmp_path / "out")
        assert len(made) == 11
        assert [path for path, _ in tally.left_out] == [photo.path]

    def test_nothing_is_overwritten(
        self, given: list[Shared], pool: Shrinkers, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "00.png").write_text("was here")
        precious = tmp_path / "precious"
        precious.write_text("precious")
        (out / "01.png").symlink_to(precious)
        (out / "02.png").symlink_to(tmp_path / "nowhere")
        (out / "03.png").mkdir()
        for _ in range(2):
            # The second time they are there, and are the same.
            paths = list(Order(given, ORIGINALS).written(pool, out))
            assert len(set(paths)) == 12
            assert [path.name for path in paths[:4]] == [f"0{n} (2).png" for n in range(4)]
        content = paths[0].read_bytes()
        paths[0].write_bytes(content[:-1] + b"?")
        assert next(Order(given, ORIGINALS).written(pool, out)).name == "00 (3).png"
        assert paths[0].read_bytes() == content[:-1] + b"?"
        assert (out / "00.png").read_text() == "was here"
        assert precious.read_text() == "precious"
        assert not (tmp_path / "nowhere").exists()
        assert len(list(out.iterdir())) == 17

    def test_no_room_for_temporary_files(
        self, given: list[Shared], pool: Shrinkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "away"))
        with pytest.raises(ScratchError, match=r"No such file.*name another place in the variable"):
            list(Order(given, ORIGINALS).written(pool, tmp_path))

    def test_a_disk_without_links(
        self, given: list[Shared], pool: Shrinkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on memory cards."""

        def refuse(*_: Any) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        out = tmp_path / "out"
        out.mkdir()
        (out / "00.png").write_text("was here")
        paths = list(Order(given, ORIGINALS).written(pool, out))
        assert [path.name for path in paths[:2]] == ["00 (2).png", "01.png"]
        assert (out / "00.png").read_text() == "was here"
        assert len(list(out.iterdir())) == 13

    def test_when_it_is_stopped_what_is_done_is_kept(
        self, given: list[Shared], pool: Shrinkers, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        out.mkdir()
        order = Order(given, SMALL, stopped=lambda: order.tally.files == 4)
        assert len(list(order.written(pool, out))) == 4
        assert (order.tally.done, order.tally.total) == (4, 12)
        assert len(list(out.iterdir())) == 4
        order = Order(given, ORIGINALS, stopped=lambda: order.tally.files == 4)
        with zipfile.ZipFile(io.BytesIO(b"".join(order.zipped(pool)))) as archive:
            assert archive.namelist() == ["00.png", "01.png", "02.png", "03.png", "left out.txt"]
            assert archive.read("left out.txt") == b"Stopped before the last 8.\n"

    def test_a_folder_that_goes_away_ends_it(
        self, given: list[Shared], pool: Shrinkers, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        out.mkdir()
        writing = Order(given, ORIGINALS).written(pool, out)
        for _ in range(3):
            next(writing)
        shutil.rmtree(out)
        with pytest.raises(FolderError, match=r"out: No such file.*3 of 12 are there, and whole"):
            next(writing)


def test_order_and_stamps_are_those_of_the_zip(library: Library, pool: Shrinkers) -> None:
    given = photos(library, "webp.webp", "avif.avif", "heic.heic", "png.png", "tif.tif")
    with zipfile.ZipFile(io.BytesIO(b"".join(Order(given, SMALL).zipped(pool)))) as archive:
        assert archive.namelist() == ["webp.jpg", "avif.jpg", "heic.jpg", "png.jpg", "tif.jpg"]
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}


def test_an_estimate_is_near(library: Library, pool: Shrinkers, tmp_path: Path) -> None:
    given = photos(library)
    originals = estimate(given, ORIGINALS)
    assert originals.bytes == sum(one.photo.stamp.size for one in given)
    assert (originals.photos, originals.videos, originals.converted) == (11, 2, 0)


def test_what_cannot_be_asked_for() -> None:
    for wrong in ({"side": 12}, {"side": 70_000}, {"quality": 0}, {"quality": 101}):
        with pytest.raises(UsageError, match="give one from"):
            Wanted(jpeg=True, **wrong)


def test_where_copies_would_be_indexed(tmp_path: Path) -> None:
    (tmp_path / "photos" / "2019").mkdir(parents=True)
    folders = [str(tmp_path / "photos")]
    assert indexed_above(tmp_path / "photos" / "2019", folders) == folders[0]
    assert indexed_above(tmp_path / "photos", folders) == folders[0]
    assert indexed_above(tmp_path / "photos 2", folders) is None


def test_copies_leave_the_originals_alone(
    library: Library, pool: Shrinkers, tmp_path: Path
) -> None:
    before = {one.photo.path: os.stat(one.photo.path) for one in photos(library)}
    for number, wanted in enumerate((ORIGINALS, BARE, SMALL)):
        copies(photos(library), wanted, pool, tmp_path / str(number))
    after = {path: os.stat(path) for path in before}
    for path, old in before.items():
        assert (old.st_mtime_ns, old.st_ctime_ns) == (
            after[path].st_mtime_ns,
            after[path].st_ctime_ns,
        )
