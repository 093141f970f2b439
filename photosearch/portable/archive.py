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
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from photosearch.errors import LibraryError

CATALOGUE = "catalogue.db"
MODELS = "models/"
FORMAT = 1
_MANIFEST = "library.json"
_MOST_BYTES = 64 << 20  # of the manifest
_CHUNK = 1 << 20
# Names that stay below the folder they are put in, on every system.
_PLAIN = re.compile(r"(?:[\w@+=%,-][\w@+=%,. -]*/)*[\w@+=%,-][\w@+=%,. -]*")


def write_archive(path: Path, members: Mapping[str, Path], about: Mapping[str, Any]) -> None:
    """Write an archive to `path`, which must not exist. Raises `OSError`."""
    listed = {}
    with path.open("xb") as file:
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
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise LibraryError(f"{path}: cannot be read ({error.strerror})") from None
        except zipfile.BadZipFile as error:
            raise self._damaged(str(error)) from None
        self.about = self._read_manifest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

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
        try:
            with self._zip.open(name) as source:
                while size <= most and (chunk := source.read(_CHUNK)):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise self._damaged(f"{name}: {error}") from None
        return digest.hexdigest(), size

    def _read_manifest(self) -> dict[str, Any]:
        try:
            if self._zip.getinfo(_MANIFEST).file_size > _MOST_BYTES:
                raise self._damaged(f"{_MANIFEST} is too large")
            about = json.loads(self._zip.read(_MANIFEST))
            number = int(about["format"])
            if number > FORMAT:
                raise LibraryError(
                    f"{self._path}: is of format {number}, and this photosearch reads up to "
                    f"{FORMAT}; upgrade photosearch"
                )
            for name, listed in about["files"].items():
                if not _PLAIN.fullmatch(name):
                    raise self._damaged(f"{name!r} is no name of a member")
                int(listed["bytes"]), str(listed["sha256"])
            if CATALOGUE not in about["files"] or about["separator"] not in ("/", "\\"):
                raise self._damaged("holds no catalogue")
        except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile, zlib.error):
            raise self._damaged(f"its {_MANIFEST} is missing or damaged") from None
        return dict(about)

    def _damaged(self, why: str) -> LibraryError:
        return LibraryError(
            f"{self._path}: is damaged, or no exported library ({why}); export or copy it again"
        )
