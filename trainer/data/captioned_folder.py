"""A folder of pictures with captions in one file, cut into shards of so many samples.

The captions are read from one of:

- CSV: rows of file and caption, or with a header row that names these two among others; a file may
  have several rows;
- JSON: ``{"file": ["caption", ...]}``, or a list of ``{"file": ..., "caption": ...}`` or
  ``{"file": ..., "captions": [...]}``; in a ``.jsonl`` file one such object a line;
- COCO captions: ``{"images": [{"id", "file_name"}], "annotations": [{"image_id", "caption"}]}``.

File names are relative to the folder. Without such a file the captions of ``photo.jpg`` are the
lines of ``photo.txt`` beside it, where there is one.

Example::

    shards = folder_shards(Path("photos"), Path("captions.csv"), samples=1000)
    for sample in shards[0].samples():
        print(sample.key, sample.meta["captions"])
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from trainer.data.photo_tars import IMAGE_SUFFIXES, PhotoSample

_HEADERS = frozenset({"file", "file_name", "filename", "filepath", "image", "path"})
_TEXTS = ("captions", "caption", "text", "texts")
# Names by which a folder's captions are found in it.
_FILES = tuple(
    f"{name}.{suffix}" for name in ("captions", "metadata") for suffix in ("csv", "jsonl", "json")
)


@dataclass(frozen=True)
class FolderShard:
    """Some pictures of a folder: names relative to it, each with its captions."""

    name: str
    folder: Path
    files: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def source(self) -> str:
        """What the pictures come from, for the record."""
        return self.folder.resolve().name

    def count(self) -> int:
        return len(self.files)

    def samples(self) -> Iterator[PhotoSample]:
        """The pictures in the order of `files`; raises `ValueError` for one that is gone."""
        for file, captions in self.files:
            path = self.folder / file
            try:
                data = path.read_bytes()
            except OSError as error:
                raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
            suffix = path.suffix[1:].lower()
            yield PhotoSample(key_of(file), data, {"captions": [*captions]}, str(path), suffix)

    def digest(self) -> str:
        """sha256, in hex, of the names, the captions and the pictures."""
        sha = hashlib.sha256()
        for sample in self.samples():
            picture = hashlib.sha256(sample.image_bytes).hexdigest()
            about = [sample.key, sample.suffix, sample.meta["captions"], picture]
            sha.update(json.dumps(about).encode())
        return sha.hexdigest()


def folder_shards(folder: Path, captions: Path | None, samples: int) -> list[FolderShard]:
    """Cut a folder into shards of `samples` pictures, by the order of their names.

    With a captions file the shards hold the pictures that it names; `captions.csv` and the like in
    the folder is one. Without, they hold every picture in the folder and below.

    Raises `ValueError` when the captions cannot be read, name a file that is not there or not a
    picture, or when two files would get the same key.
    """
    captions = captions or captions_file(folder)
    texts = read_captions(captions) if captions is not None else _pictures_below(folder)
    if not texts:
        raise ValueError(f"{captions or folder}: names no pictures")
    origin = str(captions or folder)
    keys: dict[str, str] = {}
    for file in sorted(texts):
        _check(folder, file, origin)
        other = keys.setdefault(key_of(file), file)
        if other != file:
            raise ValueError(f"{origin}: {other} and {file} get the same key; rename one of them")
    files = [(file, tuple(texts[file])) for file in sorted(texts)]
    name = folder.resolve().name
    return [
        FolderShard(f"{name}-{number:05d}", folder, tuple(files[at : at + samples]))
        for number, at in enumerate(range(0, len(files), samples))
    ]


def captions_file(folder: Path) -> Path | None:
    """The file with captions that lies in `folder` under one of the usual names, if any."""
    found = (folder / name for name in _FILES)
    return next((path for path in found if path.is_file()), None)


def key_of(file: str) -> str:
    """The file's name without suffix; WebDataset ends a key at the first dot, so none may remain.

    A leading dot or underscore pair (`._x`) would hide the sample from the reader.
    """
    path = PurePosixPath(file)
    return str(path.with_name(path.stem.replace(".", "_")))


def read_captions(path: Path) -> dict[str, list[str]]:
    """The captions of each file, in their order; blank ones are left out.

    Raises `ValueError`, naming the file and the line or entry, when it has none of the three forms.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    readers = {".json": _json_pairs, ".jsonl": _line_pairs}
    pairs = readers.get(path.suffix.lower(), _csv_pairs)(path, text)
    captions: dict[str, list[str]] = {}
    for file, caption in pairs:
        mine = captions.setdefault(PurePosixPath(file).as_posix(), [])
        if caption.strip():
            mine.append(caption.strip())
    return captions


def _csv_pairs(path: Path, text: str) -> Iterator[tuple[str, str]]:
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    width, file, caption = 2, 0, 1
    try:
        for row in rows:
            if not row:
                continue
            if rows.line_num == 1 and (places := _columns(row)) is not None:
                width, (file, caption) = len(row), places
                continue
            if len(row) != width or not row[file].strip():
                raise ValueError(
                    f"{path}, line {rows.line_num}: {len(row)} columns; each row must be a file "
                    "and a caption (in double quotes if it holds a comma)"
                )
            yield row[file].strip(), row[caption]
    except csv.Error as error:
        raise ValueError(f"{path}, line {rows.line_num}: not CSV ({error})") from None


def _columns(row: list[str]) -> tuple[int, int] | None:
    """Where a header row has file and caption; None for a row that is none."""
    names = [name.strip().lower() for name in row]
    files = [place for place, name in enumerate(names) if name in _HEADERS]
    if not files:
        return None
    texts = [names.index(name) for name in _TEXTS if name in names]
    return files[0], texts[0] if texts else (1 if files[0] == 0 else 0)


def _line_pairs(path: Path, text: str) -> Iterator[tuple[str, str]]:
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entries.append(_entry(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}, line {number}: not an object with file and caption ({error!r})"
            ) from None
    yield from _pairs_of(path, entries)


def _json_pairs(path: Path, text: str) -> Iterator[tuple[str, str]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error})") from None
    entries: list[tuple[Any, Any]]
    try:
        if isinstance(value, dict) and "annotations" in value and "images" in value:
            entries = _coco_entries(value)
        elif isinstance(value, dict):
            entries = list(value.items())
        else:
            entries = [_entry(entry) for entry in value]
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: neither file names with captions, nor a list of objects with file and "
            f"captions, nor COCO captions ({error!r})"
        ) from None
    yield from _pairs_of(path, entries)


def _pairs_of(path: Path, entries: list[tuple[Any, Any]]) -> Iterator[tuple[str, str]]:
    for file, captions in entries:
        found = [captions] if isinstance(captions, str) else captions
        if not isinstance(file, str) or not isinstance(found, list):
            raise ValueError(f"{path}: {file!r} must be a file name with a list of captions")
        # A file without captions is a photo all the same.
        for caption in found or [""]:
            if not isinstance(caption, str):
                raise ValueError(f"{path}: {file!r} has a caption that is not text: {caption!r}")
            yield file, caption


def _entry(entry: dict[str, Any]) -> tuple[Any, Any]:
    """File and captions of an object; raises `KeyError` when it has none."""
    file = next((entry[name] for name in sorted(_HEADERS) if name in entry), None)
    captions = next((entry[name] for name in _TEXTS if name in entry), None)
    if file is None or captions is None:
        raise KeyError("file" if file is None else "caption")
    return file, captions


def _coco_entries(value: dict[str, Any]) -> list[tuple[Any, Any]]:
    files = {image["id"]: image["file_name"] for image in value["images"]}
    captions: dict[Any, list[Any]] = {file: [] for file in files.values()}
    for annotation in value["annotations"]:
        captions[files[annotation["image_id"]]].append(annotation["caption"])
    return list(captions.items())


def _pictures_below(folder: Path) -> dict[str, list[str]]:
    found = (path for path in folder.rglob("*") if path.suffix[1:].lower() in IMAGE_SUFFIXES)
    return {
        path.relative_to(folder).as_posix(): _beside(path)
        for path in found
        if path.is_file() and not path.name.startswith(".")
    }


def _beside(picture: Path) -> list[str]:
    """The captions in the text file beside a picture."""
    try:
        text = picture.with_suffix(".txt").read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _check(folder: Path, file: str, origin: str) -> None:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{origin}: {file} lies outside {folder}; names must be relative to it")
    if path.suffix[1:].lower() not in IMAGE_SUFFIXES:
        raise ValueError(
            f"{origin}: {file} is not a {', '.join(sorted(IMAGE_SUFFIXES))} picture; convert it"
        )
    if path.name.startswith("."):
        raise ValueError(f"{origin}: {file} is a hidden file; rename it")
    if not (folder / file).is_file():
        raise ValueError(f"{origin}: names {file}, which is not in {folder}")
