"""The file of a photo, opened for reading if it still is the one that was indexed."""

from __future__ import annotations

import os
from typing import BinaryIO

from index import FileStamp, PhotoFile
from photosearch.regular_file import NotRegularError, open_regular
from photosearch.silent_drive import answering, within


class ChangedError(Exception):
    """A file is not the one that was indexed; the message says so to the user."""

    def __init__(self) -> None:
        super().__init__("The file has changed since it was indexed; index again first.")


def open_original(photo: PhotoFile) -> BinaryIO:
    """The file of a photo, if it still is the one that was indexed.

    For a caller that may wait: so does each read, though not for ever.

    Raises `FileNotFoundError`, `NoAnswerError` or another `OSError`; `ChangedError`.
    """
    return answering(photo.path, within(photo.path, unchanged, photo))


def unchanged(photo: PhotoFile) -> BinaryIO:
    """The same, as long as the drive takes. Whatever took the file's place is not given away.

    Raises `FileNotFoundError` or another `OSError`; `ChangedError`.
    """
    try:
        file = open_regular(photo.path)
    except NotRegularError as error:
        raise ChangedError from error
    status = os.fstat(file.fileno())
    if FileStamp(status.st_size, status.st_mtime_ns) != photo.stamp:
        file.close()
        raise ChangedError
    return file
