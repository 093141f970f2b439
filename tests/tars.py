"""Tars of photos as data sets have them, written by the tests."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image


def write_tar(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def sample(
    key: str, picture: Image.Image | bytes, meta: dict[str, Any] | None
) -> Iterator[tuple[str, bytes]]:
    """The members of one photo: a PNG, as which bytes are taken as they are, and its JSON."""
    if isinstance(picture, Image.Image):
        data = io.BytesIO()
        picture.save(data, "PNG")
        picture = data.getvalue()
    yield f"{key}.png", picture
    if meta is not None:
        yield f"{key}.json", json.dumps(meta).encode()
