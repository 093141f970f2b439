"""Carrying a library to another machine, in one file."""

from photosearch.portable.carrying import Exported, Imported, export_library, import_library

__all__ = ["Exported", "Imported", "export_library", "import_library"]
