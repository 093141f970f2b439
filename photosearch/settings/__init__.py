"""Settings: what each is, where its value comes from, and the file that keeps some of them.

from photosearch.settings import read

settings = read("~/photos-library", workers=4)
print(settings.workers, settings.provider)
"""

from photosearch.settings.declared import SETTINGS, Setting, Settings
from photosearch.settings.sources import (
    CONFIG,
    Found,
    find,
    library_folder,
    read,
    read_environment,
)

__all__ = [
    "CONFIG",
    "SETTINGS",
    "Found",
    "Setting",
    "Settings",
    "find",
    "library_folder",
    "read",
    "read_environment",
]
