"""The file of a photo, opened for reading if it still is the one that was indexed."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, cast

from index import FileStamp, PhotoFile
from photosearch.elsewhere.addresses import is_address
from photosearch.regular_file import NotRegularError, open_regular
from photosearch.silent_drive import answering, within


class ChangedError(Exception):
    """A file is not the one that was indexed; the message says so to the user."""

    def __init__(self) -> None:
        super().__init__("The file has changed since it was indexed; index again first.")


def open_original(photo: PhotoFile) -> BinaryIO:
    """The file of a photo, if it still is the one that was indexed.

    For a caller that may wait: so does each read, though not for ever. The one that meets the end
    raises `ChangedError` where the file became another one meanwhile.

    Raises `FileNotFoundError`, `NoAnswerError` or another `OSError`; `ChangedError`.
    """
    original = _Original(within(photo.path, unchanged, photo), photo.stamp)
    return answering(photo.path, cast(BinaryIO, original))


class _Original(io.RawIOBase):
    def __init__(self, file: BinaryIO, stamp: FileStamp) -> None:
        self._file, self._stamp = file, stamp

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        if not piece and size:
            _check(self._file, self._stamp)
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


def unchanged(photo: PhotoFile) -> BinaryIO:
    """The same, as long as the drive takes. Whatever took the file's place is not given away.

    Raises `FileNotFoundError` or another `OSError`; `ChangedError`.
    """
    if is_address(photo.path):
        # Nobody makes this machine fetch it by asking for it.
        raise FileNotFoundError(photo.path)
    try:
        file = open_regular(photo.path)
    except NotRegularError as error:
        raise ChangedError from error
    try:
        _check(file, photo.stamp)
    except BaseException:
        file.close()
        raise
    return file


def _check(file: BinaryIO, stamp: FileStamp) -> None:
    status = os.fstat(file.fileno())
    if FileStamp(status.st_size, status.st_mtime_ns) != stamp:
        raise ChangedError
