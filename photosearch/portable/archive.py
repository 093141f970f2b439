"""The file of an exported library: a ZIP archive that lists its members with their hashes.

library.json          what it holds, below
catalogue.db          the catalogue, with all vectors
models/ID/...         the bundles of models, where they were asked for

library.json has the keys "format", "photosearch" (the version that wrote it), "separator" (of the
paths in it, "/" or "\\\\"), "folders", "photos", "models" (photos encoded, by the id of the model),
and "files", with the "sha256" and "bytes" of each other member.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from index.safety.private import private_opener
from photosearch.errors import LibraryError
from photosearch.portable.names import portable_name
from photosearch.regular_file import open_regular

CATALOGUE = "catalogue.db"
MODELS = "models/"
FORMAT = 1
_MANIFEST = "library.json"
_MOST_BYTES = 64 << 20  # of the manifest
_CHUNK = 1 << 20
# What an archive may unpack to: so many bytes, and so many times what it is.
_AT_LEAST, _FOLD = 256 << 20, 50
# What zipfile raises of an archive that is damaged; OSError too, as for a member before the file.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # encrypted, or of a kind that is not implemented
    LookupError,
    ValueError,
)
# Names that stay below the folder they are put in.
_PLAIN = re.compile(r"(?:[\w@+=%,-][\w@+=%,. -]*/)*[\w@+=%,-][\w@+=%,. -]*")


def write_archive(path: Path, members: Mapping[str, Path], about: Mapping[str, Any]) -> None:
    """Write an archive to `path`, which must not exist. Raises `OSError`."""
    listed = {}
    with open(path, "xb", opener=private_opener) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, source in members.items():
                with source.open("rb") as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
                listed[name] = {"sha256": digest, "bytes": source.stat().st_size}
                archive.write(source, name)
            manifest = {"format": FORMAT, **about, "files": listed}
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=2))
        file.flush()
        os.fsync(file.fileno())


class Archive:
    """An archive that is read. Use as a context manager.

    Every method raises `LibraryError`, naming the file, when it is damaged or no such archive.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = open_regular(path)
        except OSError as error:
            raise LibraryError(f"{path}: cannot be read ({error.strerror})") from None
        try:
            self._zip = zipfile.ZipFile(self._file)
            self.about = self._read_manifest()
        except BaseException as error:
            self._file.close()
            if isinstance(error, _DAMAGED):
                raise self._damaged(str(error)) from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    @property
    def names(self) -> list[str]:
        return list(self.about["files"])

    def extract(self, name: str, to: Path) -> None:
        """Write a member to the new file `to`, and check its size and hash. Raises `OSError`."""
        listed = self.about["files"][name]
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("xb") as file:
            digest, size = self._copy(name, file, listed["bytes"])
        if (digest, size) != (listed["sha256"], listed["bytes"]):
            raise self._damaged(f"{name} is not what was exported")

    def _copy(self, name: str, file: BinaryIO, most: int) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for chunk in self._chunks(name):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
            if size > most:
                break
        return digest.hexdigest(), size

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            source = self._zip.open(name)
        except _DAMAGED as error:
            raise self._damaged(f"{name}: {error}") from None
        with source:
            while True:
                try:
                    chunk = source.read(_CHUNK)
                except _DAMAGED as error:
                    raise self._damaged(f"{name}: {error}") from None
                if not chunk:
                    return
                yield chunk

    def _read_manifest(self) -> dict[str, Any]:
        try:
            if self._zip.getinfo(_MANIFEST).file_size > _MOST_BYTES:
                raise self._damaged(f"{_MANIFEST} is too large")
            about = json.loads(self._zip.read(_MANIFEST), parse_constant=_refused)
            number = about["format"]
            if type(number) is not int:
                raise TypeError
            if number > FORMAT:
                raise LibraryError(
                    f"{self._path}: is of format {number}, and this photosearch reads up to "
                    f"{FORMAT}; upgrade photosearch"
                )
            for name, listed in about["files"].items():
                if not _PLAIN.fullmatch(name) or name != _portable(name):
                    raise self._damaged(f"{name!r} is no name of a member")
                if not (type(listed["bytes"]) is int and isinstance(listed["sha256"], str)):
                    raise TypeError
                if listed["bytes"] != self._zip.getinfo(name).file_size:
                    raise self._damaged(f"{name} is not what was exported")
            if CATALOGUE not in about["files"] or about["separator"] not in ("/", "\\"):
                raise self._damaged("holds no catalogue")
        except (*_DAMAGED, TypeError, AttributeError, OverflowError, RecursionError):
            raise self._damaged(f"its {_MANIFEST} is missing or damaged") from None
        if self._size(about) > _AT_LEAST + _FOLD * os.path.getsize(self._path):
            raise self._damaged("it would unpack to far more than a library is")
        return dict(about)

    def _size(self, about: Mapping[str, Any]) -> int:
        return sum(listed["bytes"] for listed in about["files"].values())

    def check_room(self, folder: Path) -> None:
        """Raises `LibraryError` when the disk of `folder` has no room for what it unpacks to."""
        free, needed = shutil.disk_usage(folder).free, self._size(self.about)
        if needed > free:
            raise LibraryError(
                f"{folder}: has no room for {self._path}, which unpacks to {needed / 1e9:.3g} GB "
                f"({free / 1e9:.3g} GB are free); make room, or use another folder"
            )

    def _damaged(self, why: str) -> LibraryError:
        return LibraryError(
            f"{self._path}: is damaged, or no exported library ({why}); export or copy it again"
        )


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _portable(name: str) -> str:
    return "/".join(map(portable_name, name.split("/")))
