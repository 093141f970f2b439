"""Data sets as Hugging Face's library `datasets` keeps them on disk (`save_to_disk`).

A folder with `state.json`, which names Arrow files, or one with `dataset_dict.json` and such
folders in it. A row has a picture, as bytes or as a path, and one or more captions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.data.photo_tars import PhotoSample

_PICTURES = ("image", "img", "picture", "jpg", "photo")
_TEXTS = ("captions", "caption", "text", "texts", "sentences", "raw")
_SUFFIXES = {b"\xff\xd8": "jpg", b"\x89P": "png", b"RI": "webp"}


def is_arrow_folder(folder: Path) -> bool:
    """Whether `folder` is a data set that was saved to disk."""
    return any((folder / name).is_file() for name in ("state.json", "dataset_dict.json"))


@dataclass(frozen=True)
class ArrowShard:
    """The rows of one Arrow file."""

    name: str
    file: Path

    @property
    def source(self) -> str:
        """What the pictures come from, for the record."""
        return self.file.parent.name

    def count(self) -> int:
        return sum(batch.num_rows for batch in self._batches())

    def digest(self) -> str:
        """sha256, in hex, of the file."""
        with self.file.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def samples(self) -> Iterator[PhotoSample]:
        """The pictures in their order; raises `ValueError` for columns that are not there."""
        number = 0
        for batch in self._batches():
            pictures = _column(self.file, batch.schema.names, _PICTURES, "picture")
            texts = _column(self.file, batch.schema.names, _TEXTS, "captions")
            for row in batch.select([pictures, texts]).to_pylist():
                data = self._bytes(row[pictures], number)
                found = row[texts]
                captions = [found] if isinstance(found, str) else list(found or [])
                origin = f"{self.file}: row {number}"
                suffix = _SUFFIXES.get(data[:2], "jpg")
                key = f"{self.name}-{number:07}"
                yield PhotoSample(key, data, {"captions": captions}, origin, suffix)
                number += 1

    def _bytes(self, picture: Any, number: int) -> bytes:
        if isinstance(picture, dict):
            if picture.get("bytes"):
                return bytes(picture["bytes"])
            picture = picture.get("path")
        if isinstance(picture, bytes):
            return picture
        try:
            return (self.file.parent / str(picture)).read_bytes()
        except OSError as error:
            raise ValueError(
                f"{self.file}: row {number}: neither a picture nor the path of one ({error})"
            ) from None

    def _batches(self) -> Iterator[Any]:
        try:
            import pyarrow
        except ImportError:
            raise ValueError(
                f"{self.file}: to read it takes pyarrow; pip install pyarrow"
            ) from None
        try:
            with pyarrow.memory_map(str(self.file)) as mapped:
                yield from pyarrow.ipc.open_stream(mapped)
        except (pyarrow.ArrowException, OSError) as error:
            raise ValueError(f"{self.file}: not an Arrow file ({error})") from None


def arrow_shards(folder: Path) -> list[ArrowShard]:
    """One shard for each Arrow file; raises `ValueError` naming what is not as it should be."""
    try:
        if (folder / "dataset_dict.json").is_file():
            splits = json.loads((folder / "dataset_dict.json").read_text("utf-8"))["splits"]
            return [shard for split in splits for shard in arrow_shards(folder / split)]
        state = json.loads((folder / "state.json").read_text("utf-8"))
        names = [each["filename"] for each in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: not a data set saved to disk ({error!r})") from None
    if state.get("_indices_files"):
        raise ValueError(
            f"{folder}: a selection of its rows; call flatten_indices() before save_to_disk"
        )
    stem = folder.resolve().name
    return [ArrowShard(f"{stem}-{number:05d}", folder / name) for number, name in enumerate(names)]


def _column(file: Path, names: list[str], wanted: tuple[str, ...], what: str) -> str:
    for name in wanted:
        if name in names:
            return name
    raise ValueError(
        f"{file}: has no column of {what} ({', '.join(wanted)}), but {', '.join(names)}"
    )
