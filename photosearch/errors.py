"""Errors whose message is fit for the user: it names the file or option, and what to do.

PhotosearchError                exit code 1
├── UsageError                  exit code 2: a folder or option that cannot be used
│   ├── PhotoIdError            a number that no photo can have as its id
│   └── LostPlaceError          changes since a place that is not known any more
├── BundleError                 a model bundle that is missing, damaged or of another format
├── DownloadError               a model that cannot be fetched from elsewhere, or not be converted
└── LibraryError                a library that cannot be opened, read or written
"""

from __future__ import annotations


class PhotosearchError(Exception):
    """Base of every error that photosearch raises on purpose."""

    exit_code: int = 1


class UsageError(PhotosearchError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class PhotoIdError(UsageError):
    """A number that no photo can have as its id."""


class LostPlaceError(UsageError):
    """Changes were asked for since a place that is not known any more: read all anew."""


class BundleError(PhotosearchError):
    """A model bundle cannot be used."""


class DownloadError(PhotosearchError):
    """A model cannot be fetched or converted; what was in use stays so."""


class LibraryError(PhotosearchError):
    """A library of photos cannot be used."""
