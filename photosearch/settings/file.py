"""Changing `config.toml`: one line of it, with the others and their comments as they were.

The file holds nothing but lines `name = value`. What a change gives is read again before it takes
the place of the file; one that is laid out in another way is left to its owner.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.safety.private import make_private_folder
from photosearch.errors import LibraryError, UsageError
from photosearch.settings.declared import SETTINGS, Setting
from photosearch.settings.sources import CONFIG, check_name, load
from photosearch.settings.values import Place

_LOCK = ".config.lock"
_SECONDS = 10.0  # that another process is waited for, which takes milliseconds
# The value may be quoted, and a comment may follow it.
_LINE = r"""\s*["']?{name}["']?\s*=\s*("[^"\n]*"|'[^'\n]*'|[^#\n]*?)(?P<comment>\s*\#[^\n]*)?\n?"""


def set_(library: Path, name: str, text: str) -> Any:
    """Keep what `text` means as the setting `name` in the library folder; the value.

    Raises `UsageError` for a name or a value that cannot be; `LibraryError` when the file cannot be
    written.
    """
    path = library / CONFIG
    check_name(name, path)
    setting = SETTINGS[name]
    try:
        value = setting.kind.parse(text, library)
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name}: {text!r} is not text, as the file has to be") from None
    except ValueError as error:
        raise UsageError(f"{name} {error}, and not {text!r}") from None
    with _alone(library):
        kept = _written(setting, text, value)
        _replace(path, name, f"{name} = {_toml(kept)}", load(path) | {name: kept})
    return value


def unset(library: Path, name: str) -> bool:
    """Take the setting `name` out of the file; False when it is not there.

    It may be one that photosearch does not know. Raises as `set_` does.
    """
    path = library / CONFIG
    if name not in load(path):
        if name not in SETTINGS:
            check_name(name, path)
        return False
    with _alone(library):
        left = load(path)
        left.pop(name, None)
        _replace(path, name, None, left)
    return True


def _written(setting: Setting, text: str, value: Any) -> Any:
    """What stands in the file for a value; a path as it was typed, but for one from here."""
    if isinstance(setting.kind, Place):
        return text if text.startswith("~") else os.path.abspath(text)
    return value


def _toml(value: object) -> str:
    # A string of JSON is one of TOML, too, and so are its numbers and truth values.
    return json.dumps(value, ensure_ascii=False)


def _replace(path: Path, name: str, line: str | None, expected: dict[str, Any]) -> None:
    """Put `line` in the place of that of `name`, or at the end; None takes it out."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    pattern = re.compile(_LINE.format(name=re.escape(name)))
    lines = []
    for each in old.splitlines(keepends=True):
        match = pattern.fullmatch(each)
        if match is None:
            lines.append(each)
        elif line is not None:
            lines.append(f"{line}{match['comment'] or ''}\n")
            line = None
    if line is not None:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines.append(f"{line}\n")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as out:
            out.writelines(lines)
            out.flush()
            os.fsync(out.fileno())
        if _load_or_none(part) != expected:
            raise UsageError(
                f"{path}: {name} stands there in a form that is not changed by a program; change "
                "it by hand"
            )
        part.replace(path)
    except OSError as error:
        raise LibraryError(
            f"{path}: cannot be written ({error.strerror}); make the library folder writable, and "
            "room on its disk"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _load_or_none(path: Path) -> dict[str, Any] | None:
    """What the file holds; None where it is not TOML."""
    try:
        return load(path)
    except UsageError:
        return None


@contextmanager
def _alone(library: Path) -> Iterator[None]:
    """No other process changes the file meanwhile. The library folder is made if need be."""
    from filelock import FileLock, Timeout

    try:
        make_private_folder(library)
        with FileLock(library / _LOCK, fallback_to_soft=False).acquire(timeout=_SECONDS):
            yield
    except Timeout:
        raise LibraryError(
            f"{library / CONFIG}: is being changed by another process; try again"
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(
            f"{library / _LOCK}: cannot be locked ({reason}); make the library folder writable"
        ) from None
