"""Keeping the library up to date while photos come, change and go."""

from photosearch.watching.watcher import Watcher, Watching

__all__ = ["Watcher", "Watching"]
