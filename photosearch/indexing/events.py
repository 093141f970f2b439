"""What an index run reports while it goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Started:
    """The folders are scanned: `total` files were found, `unchanged` of them need no work.

    What could not be looked at counts too; `Failed` tells of each.
    """

    total: int
    unchanged: int


@dataclass(frozen=True)
class Indexed:
    """These photos are encoded and safely recorded."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Failed:
    """A file or folder that is not indexed, and why; it is listed in the library's problems."""

    path: str
    reason: str


@dataclass(frozen=True)
class Finished:
    """The run is complete. `missing` photos were in the folders once and are hidden now."""

    indexed: int
    unchanged: int
    failed: int
    missing: int
    seconds: float


Event = Started | Indexed | Failed | Finished
