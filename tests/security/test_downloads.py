"""A zip file is whole whatever its size, its names, and what happens to the photos meanwhile."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from optional import needs_linux

from index import FileStamp, Metadata, PhotoFile
from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.serving.shrinking import Shrinkers
from photosearch.sharing import wanted
from photosearch.sharing.order import Order
from photosearch.sharing.wanted import Shared, Tally, Wanted, shared

# More than is read of a file at once.
LARGE = b"\xff\xd8 a photo " * 100_000


def photo(path: Path, content: bytes) -> Shared:
    path.write_bytes(content)
    status = path.stat()
    stamp = FileStamp(status.st_size, status.st_mtime_ns)
    return Shared(PhotoFile(1, str(path), stamp, None, 1, 1, "JPEG", False), Metadata())


def zipped(
    photos: list[Shared], meanwhile: Callable[[], object] = lambda: None
) -> tuple[zipfile.ZipFile, Tally]:
    """The zip file, which all agree to be whole. `meanwhile` happens after its first piece."""
    order = Order(photos, Wanted(position=True))
    pieces = order.zipped(Shrinkers())
    data = next(pieces)
    meanwhile()
    data += b"".join(pieces)
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    if shutil.which("unzip"):
        file = Path(photos[0].photo.path).parent.with_suffix(".zip")
        file.write_bytes(data)
        done = subprocess.run(["unzip", "-tq", file], capture_output=True, check=False)
        assert done.returncode == 0, done
    return archive, order.tally


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def test_files_and_their_number_beyond_the_old_limits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As files over 2 GiB, over 4 GiB in all and over 65,535, for which the limits are lowered."""
    contents = {f"{number}.mp4": LARGE[: 4000 * number] for number in range(1, 6)}
    photos = [photo(folder / name, content) for name, content in contents.items()]
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10_000)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    archive, tally = zipped(photos)
    assert {name: archive.read(name) for name in archive.namelist()} == contents
    assert (tally.files, tally.left_out) == (5, [])


@needs_linux("has names that are no text")
def test_names_that_are_not_text(folder: Path) -> None:
    names = (b"caf\xe9.jpg", b"\xff\xfe.jpg", "日本.jpg".encode(), b"a\nb.jpg", b"a\\b.jpg")
    photos = [photo(folder / os.fsdecode(name), name) for name in names]
    archive, _ = zipped(photos)
    said = ["caf_udce9.jpg", "_udcff_udcfe.jpg", "日本.jpg", "a_b.jpg", "a_b (2).jpg"]
    assert archive.namelist() == said
    assert [archive.read(name) for name in said] == list(names)


@pytest.mark.parametrize(
    "becomes", [LARGE[:400_000], LARGE + b"more", LARGE[::-1]], ids=["less", "more", "another"]
)
def test_a_file_that_changes_meanwhile(folder: Path, becomes: bytes) -> None:
    first, second = photo(folder / "1.jpg", LARGE), photo(folder / "2.jpg", b"two")
    archive, tally = zipped([first, second], lambda: (folder / "1.jpg").write_bytes(becomes))
    assert archive.namelist() == ["1.jpg", "2.jpg", "left out.txt"]
    assert archive.read("2.jpg") == b"two"
    ((path, reason),) = tally.left_out
    assert path == first.photo.path
    assert "has changed since it was indexed" in reason
    assert "what came is in 1.jpg" in archive.read("left out.txt").decode()
    assert (tally.files, tally.done) == (1, 2)


def test_more_than_can_be_shared_at_once_is_said(
    picture_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted, "MANY", 2)
    with (
        Library.open(picture_library, readonly=True) as library,
        pytest.raises(UsageError, match="at most 2 photos can be shared at once"),
    ):
        shared(library, [1, 2, 3])
