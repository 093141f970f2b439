"""Where the photos of one shard come from: a WebDataset tar, a part of a folder, an Arrow file."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trainer.data.arrow_folder import arrow_shards, is_arrow_folder
from trainer.data.captioned_folder import folder_shards
from trainer.data.photo_tars import (
    IMAGE_SUFFIXES,
    PhotoSample,
    PhotoTarError,
    read_photos,
    split_name,
)


class Source(Protocol):
    """The photos of one shard. Sent to worker processes, so it holds names rather than photos."""

    @property
    def name(self) -> str:
        """Of the shard that is made of it, without `.tar`."""

    @property
    def source(self) -> str:
        """What the photos come from, for the record."""

    def count(self) -> int:
        """How many photos there are; for the progress bar."""

    def digest(self) -> str:
        """sha256, in hex, of everything that `samples` gives."""

    def samples(self) -> Iterator[PhotoSample]:
        """The photos, always in the same order."""


@dataclass(frozen=True)
class TarShard:
    """The photos of a WebDataset tar."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def source(self) -> str:
        return self.path.name

    def count(self) -> int:
        try:
            with tarfile.open(self.path) as tar:
                return sum(split_name(member.name)[1] in IMAGE_SUFFIXES for member in tar)
        except (tarfile.TarError, OSError):
            return 0  # only the bar wants to know; reading the photos will say what is wrong

    def digest(self) -> str:
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise PhotoTarError(f"{self.path}: cannot be read ({error.strerror})") from None

    def samples(self) -> Iterator[PhotoSample]:
        return read_photos(self.path)


def open_sources(
    inputs: Sequence[Path], captions: Path | None, samples_per_shard: int
) -> list[Source]:
    """One source a tar or Arrow file; a folder of pictures is cut into several.

    Raises `ValueError` when captions are given without exactly one folder, or when two inputs would
    make shards of the same name.
    """
    if captions is not None and not (len(inputs) == 1 and inputs[0].is_dir()):
        raise ValueError(f"--captions {captions}: needs exactly one input, the folder it is for")
    sources: list[Source] = []
    for path in inputs:
        if path.is_dir() and is_arrow_folder(path):
            sources += arrow_shards(path)
        elif path.is_dir():
            sources += folder_shards(path, captions, samples_per_shard)
        else:
            sources.append(TarShard(path))
    seen: set[str] = set()
    for source in sources:
        if source.name in seen:
            raise ValueError(f"two inputs would both make {source.name}.tar; rename one of them")
        seen.add(source.name)
    return sources


def real_captions(sample: PhotoSample) -> list[str]:
    """The captions that came with a photo: `captions` or `caption` of its JSON, or else its text.

    Blank ones are left out. Raises `ValueError` when the JSON holds something else under the name.
    """
    found: Any = sample.meta.get("captions")
    if found is None:
        found = sample.meta.get("caption")
    if found is None:
        found = sample.text
    if found is None:
        return []
    captions = [found] if isinstance(found, str) else found
    if not isinstance(captions, list) or not all(isinstance(text, str) for text in captions):
        raise ValueError(f"{sample.origin}: captions must be a list of texts, not {found!r}")
    return [text.strip() for text in captions if text.strip()]
