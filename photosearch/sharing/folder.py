"""Files in a folder: nothing is overwritten, and what is there under its name is whole."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from photosearch.errors import PhotosearchError, UsageError
from photosearch.sharing.making import BrokenOffError, File, count
from photosearch.sharing.naming import Names
from photosearch.sharing.wanted import Tally, Wanted

# What is wrong with one file only: it is too large for the file system, or its name too long.
_OF_ONE = (errno.EFBIG, errno.ENAMETOOLONG)
_BESIDE = re.compile(r"\.photosearch-[0-9a-f]{16}\.part")
_LEFT_SECONDS = 24 * 3600.0
_PIECE = 1 << 18


class FolderError(PhotosearchError):
    """Nothing more can be written into a folder; what is there is whole."""


def check_folder(folder: Path) -> Path:
    """The folder itself, where links lead. Raises `UsageError` when it is not there."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; choose another")
    return folder.resolve()


def check_outside(folder: Path, library: Path) -> None:
    """Raises `UsageError` for a folder in that of the `library`, where nobody looks for photos."""
    if folder.resolve().is_relative_to(library.resolve()):
        raise UsageError(f"{folder}: photosearch keeps its own files there; choose another folder")


def indexed_above(folder: Path, folders: Iterable[str]) -> str | None:
    """The indexed folder that `folder` is or lies in, where copies are indexed, too."""
    folder = folder.resolve()
    return next((one for one in folders if folder.is_relative_to(Path(one).resolve())), None)


def written(
    files: Iterable[File], wanted: Wanted, tally: Tally, folder: Path, called: Path | None = None
) -> Iterator[Path]:
    """Write files into `folder`, one after the other; where each is.

    A name that is taken there gets a number, unless the same file has it already, as after a run
    that was broken off. Each is written beside, and has its name only when it
    is whole and on the disk.

    Raises `FolderError` when the disk is full or gone, which names `folder`, or what it is to be
    `called`.
    """
    places: dict[str, Names] = {}
    _clear(folder)
    for file in files:
        place, _, name = file.name.rpartition("/")
        try:
            if place:
                (folder / place).mkdir(exist_ok=True)
            path = _write(file, folder / place, name, places.setdefault(place, Names()), tally)
        except BrokenOffError as error:
            _leave_out(file, tally, error)
            continue
        except OSError as error:
            file.content.close()
            if error.errno in _OF_ONE and file.photo is not None:
                _leave_out(file, tally, error.strerror)
                continue
            reason = error.strerror or str(error)
            raise FolderError(
                f"{called or folder}: {reason}; make room, or choose another folder. "
                f"{tally.files} of {tally.total} are there, and whole"
            ) from error
        count(file, wanted, tally)
        yield path


def save_stream(pieces: Iterable[bytes], path: Path) -> None:
    """Write one file that was not there, which has its name only when it is whole and on the disk.

    Raises `FolderError` when the disk is full or gone, or the name was taken meanwhile.
    """
    _clear(path.parent)
    beside = _beside(path.parent)
    try:
        with open(beside, "xb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        _rename(beside, path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise FolderError(f"{path}: {reason}; make room, or choose another place") from error
        raise


def new_folder(parent: Path, wanted: str) -> Path:
    """Make a folder of this name, or with a number when it is taken. Raises `UsageError`."""
    names = Names()
    while True:
        folder = parent / names.free(wanted)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(f"{folder}: {error.strerror or error}; choose another") from error
        return folder


@contextmanager
def whole_folder(folder: Path, last: str) -> Iterator[Path]:
    """A folder to fill, which takes the place of the empty `folder` in one step.

    Where none can be made beside that, as beside the root of a drive, it is one in it, from which
    all is moved when it is whole; what is called `last` comes last. Of one that is not finished
    nothing is left. Raises `FolderError` when something has come into `folder` meanwhile.
    """
    draft = _draft_of(folder)
    if draft is None:
        with _filled_inside(folder, last) as inside:
            yield inside
        return
    try:
        yield draft
        if sys.platform == "win32":
            folder.rmdir()  # which nothing replaces there
        os.rename(draft, folder)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise FolderError(f"{folder}: {reason}; choose another folder") from error
        raise


@contextmanager
def _filled_inside(folder: Path, last: str) -> Iterator[Path]:
    draft = _beside(folder)
    moved: list[Path] = []
    try:
        _clear(folder)
        draft.mkdir()
        yield draft
        for name in sorted(os.listdir(draft), key=lambda name: name == last):
            place = folder / name
            if os.path.lexists(place):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), place)
            os.rename(draft / name, place)
            moved.append(place)
        draft.rmdir()
    except BaseException as error:
        for place in (draft, *moved):
            shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):
                place.unlink()
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise FolderError(f"{folder}: {reason}; choose another folder") from error
        raise


def is_empty(folder: Path) -> bool:
    """Whether nothing is in it but what killed processes were writing. Raises `OSError`."""
    return all(_BESIDE.fullmatch(name) for name in os.listdir(folder))


def _draft_of(folder: Path) -> Path | None:
    """A new folder beside `folder`; None where it could not take the place of that."""
    draft = _beside(folder.parent)
    try:
        # Whoever stands in it would be left in the one that is gone.
        if os.path.ismount(folder) or Path.cwd().is_relative_to(folder) or any(folder.iterdir()):
            return None
        _clear(folder.parent)
        draft.mkdir()
        draft.chmod(stat.S_IMODE(folder.stat().st_mode))
    except OSError:
        with suppress(OSError):
            draft.rmdir()
        return None
    return draft


def _beside(folder: Path) -> Path:
    """A name for a file or folder while it is written."""
    return folder / f".photosearch-{secrets.token_hex(8)}.part"


def _clear(folder: Path) -> None:
    """Remove what killed processes were writing; of the living none stands still for so long."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if _BESIDE.fullmatch(entry.name) and not entry.is_symlink():
                with suppress(OSError):
                    if _last_written(entry) < time.time() - _LEFT_SECONDS:
                        shutil.rmtree(entry.path) if entry.is_dir() else os.unlink(entry.path)


def _last_written(entry: os.DirEntry[str]) -> float:
    """When something was last written to a file, or came into a folder or those in it."""
    inside = list(os.scandir(entry.path)) if entry.is_dir() else []
    return max(one.stat(follow_symlinks=False).st_mtime for one in (entry, *inside))


def _leave_out(file: File, tally: Tally, reason: object) -> None:
    assert file.photo is not None
    tally.leave_out(file.photo.photo.path, str(reason))


def _write(file: File, folder: Path, name: str, names: Names, tally: Tally) -> Path:
    beside = _beside(folder)
    size = 0
    try:
        with open(beside, "xb") as out:
            for piece in file.pieces():
                out.write(piece)
                size += len(piece)
            out.flush()
            os.fsync(out.fileno())
        os.utime(beside, ns=(file.mtime_ns, file.mtime_ns))
        path = _named(beside, folder, name, names)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    tally.bytes += size
    return path


def _named(beside: Path, folder: Path, name: str, names: Names) -> Path:
    """Give what is written its name, or one with a number."""
    while True:
        path = folder / names.free(name)
        try:
            _rename(beside, path)
        except FileExistsError:
            if not _is_same(beside, path):
                continue
            os.unlink(beside)
        return path


def _is_same(one: Path, other: Path) -> bool:
    """Whether `other` is a file with the content of `one`."""
    with suppress(OSError):
        if stat.S_ISREG(other.lstat().st_mode) and other.lstat().st_size == one.stat().st_size:
            with open(one, "rb") as first, open(other, "rb") as second:
                while (piece := first.read(_PIECE)) == second.read(_PIECE):
                    if not piece:
                        return True
    return False


def _rename(beside: Path, path: Path) -> None:
    """As `os.rename`, but raises `FileExistsError` when the name is taken."""
    if sys.platform == "win32":
        os.rename(beside, path)  # which replaces nothing there
        return
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError:
        # Cards and sticks know no links: the name is taken first, and then what has it replaced.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        try:
            os.replace(beside, path)
        except BaseException:
            os.unlink(path)
            raise
    else:
        os.unlink(beside)
