"""What is written reaches the disk when the system likes.

A process that is killed loses nothing by that, and no test cuts the power. Waiting for the disk, in
thousands of libraries, takes minutes.
"""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from typing import Any

_OFF = "PRAGMA synchronous = OFF"


class _Unsynced(sqlite3.Connection):
    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith("PRAGMA synchronous"):
            return super().execute(_OFF)
        if sql.startswith("PRAGMA journal_mode"):  # which is written
            super().execute(_OFF)
        return super().execute(sql, *parameters)


def wait_for_no_disk() -> None:
    """From now on, in this process."""
    sqlite3.connect = partial(sqlite3.connect, factory=_Unsynced)
    os.fsync = lambda file: None
