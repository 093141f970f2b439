"""A catalogue that takes the place of another: with all that is in its log, or not at all."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from index.safety.replacing import put_in_place


def write_with_log(path: Path, text: str) -> None:
    """A database whose rows are only in its log, as where a full disk kept SQLite from more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    open_one = path.with_name("open.db")
    with closing(sqlite3.connect(open_one, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE texts (text TEXT)")
        db.execute("INSERT INTO texts VALUES (?)", [text])
        for ending in ("", "-wal"):
            shutil.copy(f"{open_one}{ending}", f"{path}{ending}")
    open_one.unlink()


def text_in(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("SELECT text FROM texts").fetchone()[0])


@pytest.mark.parametrize("why", ["damaged", "replaced"])
def test_both_keep_what_is_in_their_logs(tmp_path: Path, why: str) -> None:
    write_with_log(tmp_path / "catalogue.db", "old")
    write_with_log(tmp_path / "new" / "catalogue.db", "new")

    kept = put_in_place(tmp_path / "new" / "catalogue.db", tmp_path / "catalogue.db", why)

    assert kept is not None
    assert not (tmp_path / "catalogue.db-wal").exists()
    assert text_in(tmp_path / "catalogue.db") == "new"
    assert text_in(kept) == "old"


def test_where_it_cannot_be_replaced_nothing_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_with_log(tmp_path / "catalogue.db", "old")
    write_with_log(tmp_path / "new" / "catalogue.db", "new")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        put_in_place(tmp_path / "new" / "catalogue.db", tmp_path / "catalogue.db", "damaged")

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("catalogue.db", "catalogue.db-wal", "new")
    ]
    assert text_in(tmp_path / "catalogue.db") == "old"


def test_where_links_are_not_known_a_copy_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_with_log(tmp_path / "catalogue.db", "old")
    write_with_log(tmp_path / "new" / "catalogue.db", "new")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    kept = put_in_place(tmp_path / "new" / "catalogue.db", tmp_path / "catalogue.db", "damaged")

    assert kept is not None
    assert (text_in(kept), text_in(tmp_path / "catalogue.db")) == ("old", "new")
