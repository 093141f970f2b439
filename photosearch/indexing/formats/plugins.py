"""Pictures of formats that other packages read, and the reason when their code fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from PIL import Image

from photosearch.formats import Format
from photosearch.indexing.formats.picture import Asked, DecodeError, Picture
from photosearch.plugins.loading import reason


def begins(one: Format, asked: Asked) -> bool:
    """Whether the file is one of this format. Raises `DecodeError`."""
    assert one.begins is not None
    with _blamed(one):
        return bool(one.begins(asked.head, asked.suffix))


def picture(one: Format, asked: Asked) -> Picture:
    """Raises `DecodeError`, and what the system says of the file."""
    with _blamed(one):
        found = import_module(one.reader).picture(asked)
        if not isinstance(found, Picture) or not isinstance(found.image, Image.Image):
            raise TypeError("it gave no Picture")
        if found.format not in one.recorded:
            raise ValueError(f"{found.format!r} is not among what it says that it records")
        return found


@contextmanager
def _blamed(one: Format) -> Iterator[None]:
    try:
        yield
    except (DecodeError, OSError, MemoryError):
        raise
    except Exception as error:
        raise DecodeError(
            f"cannot be read by the plugin for {one.name} ({reason(error)})",
            passing=isinstance(error, ImportError),
        ) from error
