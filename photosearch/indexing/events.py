"""What an index run reports while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Held:
    """Another process is changing the library; the run begins when that is done."""

    holder: str


@dataclass(frozen=True)
class OnBattery:
    """The machine runs on its battery; what is done is kept, and the run goes on when it is not."""


@dataclass(frozen=True)
class Started:
    """The folders are scanned: `total` files were found, `unchanged` of them need no work.

    `problems` more are as they were when they could not be indexed, and are not tried again.

    What could not be looked at counts too; `Failed` tells of each.
    """

    total: int
    unchanged: int
    problems: int = 0


@dataclass(frozen=True)
class Indexed:
    """These photos are encoded and safely recorded."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Recognised:
    """The bytes of these files were known: moved, copied or touched; nothing was encoded."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Paired:
    """These files belong to photos that are indexed, and are no photos of their own."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Reread:
    """What these photos say of themselves was read again; nothing was encoded."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Absent:
    """A known folder that is not there now; its photos are hidden until it is back."""

    folder: str
    hidden: int


@dataclass(frozen=True)
class Failed:
    """A file or folder that is not indexed, and why; it is listed in the library's problems."""

    path: str
    reason: str


@dataclass(frozen=True)
class Rebuilding:
    """Another model begins to encode the photos that the present one has; `total` are left.

    Copies count once.
    """

    model: str
    total: int


@dataclass(frozen=True)
class Reencoded:
    """The other model's vectors of these photos are safely recorded."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Switched:
    """Searches use `model` from now on, in place of `previous`."""

    model: str
    previous: str


@dataclass(frozen=True)
class Kept:
    """Searches go on using `model`: `unread` photos could not be reached for the other one."""

    model: str
    unread: int


@dataclass(frozen=True)
class Finished:
    """The run is complete. `missing` photos were in the folders once and are hidden now.

    `indexed` were encoded, `recognised` known by their bytes, and `problems` left as they are. Of
    `reread` the metadata alone was read. `others` are the files of other kinds in the folders, by
    suffix, the most first.
    """

    indexed: int
    unchanged: int
    failed: int
    missing: int
    seconds: float
    recognised: int = 0
    problems: int = 0
    reread: int = 0
    others: Mapping[str, int] = field(default_factory=dict)


Event = (
    Held
    | OnBattery
    | Started
    | Indexed
    | Recognised
    | Paired
    | Reread
    | Absent
    | Failed
    | Rebuilding
    | Reencoded
    | Switched
    | Kept
    | Finished
)
