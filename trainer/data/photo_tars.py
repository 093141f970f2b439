"""Photos kept as WebDataset tars: ``KEY.webp`` (or jpg, jpeg, png) beside an optional ``KEY.json``.

The files of one sample stand next to each other and share everything before the first dot of
their base name. A ``KEY.txt`` is a caption. Files with other suffixes (embeddings) belong to other
readers and are passed over.

Example::

    for sample in read_photos("captioned-val-000.tar"):
        image = decode(sample)
        captions = sample.meta["captions"]
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from photosearch.encoders.preprocess import to_rgb

IMAGE_SUFFIXES = frozenset({"webp", "jpg", "jpeg", "png"})


class PhotoTarError(Exception):
    """A tar, or one member of it, cannot be read; the message names both."""


@dataclass(frozen=True)
class PhotoSample:
    """One photo as stored: its bytes undecoded, its metadata ({} when it has no JSON)."""

    key: str
    image_bytes: bytes
    meta: dict[str, Any]
    origin: str
    """``TAR: MEMBER`` of the image, for messages."""
    suffix: str
    """Of the image's name, in small letters and without the dot."""
    text: str | None = None
    """What the sample's text file holds, if it has one."""


def read_photos(*tars: str | PathLike[str]) -> Iterator[PhotoSample]:
    """Yield the samples of each tar in file order, reading each file once.

    Raises:
        PhotoTarError: a tar is missing, cut short or damaged; a sample has no image or two; its
            JSON does not hold an object. Damage is found when the reader comes to it, so samples
            before it have been yielded by then.
    """
    for path in map(Path, tars):
        group: _Group | None = None
        for name, data in read_members(path):
            stem, suffix = split_name(name)
            if suffix not in IMAGE_SUFFIXES and suffix not in ("json", "txt"):
                continue
            if group is None or group.key != stem:
                if group is not None and not group.only_text:
                    yield group.sample()
                group = _Group(path, stem)
            group.add(name, suffix, data)
        if group is not None and not group.only_text:
            yield group.sample()


def decode(sample: PhotoSample) -> Image.Image:
    """Decode a sample to RGB, upright by its EXIF orientation, transparency laid on white.

    Raises:
        PhotoTarError: the bytes are not a whole picture.
    """
    try:
        with Image.open(io.BytesIO(sample.image_bytes)) as opened:
            return to_rgb(ImageOps.exif_transpose(opened))
    # A broken file makes Pillow's decoders raise whatever their parsing tripped over.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PhotoTarError(f"{sample.origin}: not a readable picture ({error})") from error


class _Group:
    """The members of one sample while they are being collected."""

    def __init__(self, tar: Path, key: str) -> None:
        self.tar = tar
        self.key = key
        self._image: tuple[str, bytes] | None = None
        self._meta: dict[str, Any] | None = None
        self._text: str | None = None

    @property
    def only_text(self) -> bool:
        """A read-me or the like, which is no sample."""
        return self._image is None and self._meta is None

    def add(self, name: str, suffix: str, data: bytes) -> None:
        if suffix == "json":
            if self._meta is not None:
                raise PhotoTarError(f"{self.tar}: {name} stands twice for one photo")
            try:
                self._meta = json.loads(data)
            except ValueError as error:
                raise PhotoTarError(f"{self.tar}: {name} is not JSON ({error})") from error
            if not isinstance(self._meta, dict):
                raise PhotoTarError(f"{self.tar}: {name} must hold a JSON object")
        elif suffix == "txt":
            # A caption from the web may hold anything; one bad byte is no reason to stop.
            self._text = data.decode("utf-8", errors="replace")
        elif self._image is not None:
            raise PhotoTarError(f"{self.tar}: {name} is a second picture beside {self._image[0]}")
        else:
            self._image = (name, data)

    def sample(self) -> PhotoSample:
        if self._image is None:
            raise PhotoTarError(
                f"{self.tar}: {self.key}.json has no picture next to it "
                f"({', '.join(sorted(IMAGE_SUFFIXES))})"
            )
        name, data = self._image
        return PhotoSample(
            self.key,
            data,
            self._meta or {},
            f"{self.tar}: {name}",
            split_name(name)[1],
            self._text,
        )


def split_name(name: str) -> tuple[str, str]:
    """``a/b.c.json`` -> (``a/b``, ``c.json``): WebDataset's rule, so a folder may hold dots."""
    folder, slash, base = name.rpartition("/")
    stem, _, suffix = base.partition(".")
    return folder + slash + stem, suffix.lower()


def read_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each regular file, in file order; errors as of `read_photos`."""
    last = "its start"
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                # AppleDouble companions (`._x.jpg`) carry a picture's suffix and are none.
                if not member.isfile() or member.name.rpartition("/")[2].startswith("._"):
                    continue
                last = member.name
                file = tar.extractfile(member)
                assert file is not None  # a regular file always has content
                data = file.read()
                if len(data) != member.size:
                    raise PhotoTarError(f"{path}: {member.name} is cut short; fetch the tar again")
                yield member.name, data
            # tarfile takes a header it cannot parse for the end of the archive. Without this
            # check one damaged block would quietly drop the rest of the photos.
            assert tar.fileobj is not None
            tar.fileobj.seek(tar.offset)
            block = tar.fileobj.read(tarfile.BLOCKSIZE)
            if len(block) < tarfile.BLOCKSIZE or any(block):
                raise PhotoTarError(f"{path}: damaged or cut short after {last}")
    except FileNotFoundError as error:
        raise PhotoTarError(f"{path}: no such file") from error
    except (tarfile.TarError, OSError, EOFError) as error:
        raise PhotoTarError(f"{path}: damaged after {last} ({error})") from error
