"""What is saved of a catalogue with damaged pages."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from catalogue_data import BUNDLE, new_photos, unit_vectors

from index import Catalogue
from index.catalogue.records import SavedSearch
from index.safety.salvage import salvage


def leaves(path: Path, table: str) -> list[int]:
    """The places in the file of the pages that hold a table's rows, in order of the rows."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", [table]
        ).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    data = path.read_bytes()
    page = data[(root - 1) * size : root * size]
    assert page[0] == 5, "the table is deep enough to have pages below its root, and no deeper"
    cells = int.from_bytes(page[3:5])
    starts = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n]) for n in range(cells)]
    children = [int.from_bytes(page[at : at + 4]) for at in starts]
    children.append(int.from_bytes(page[8:12]))
    return [(child - 1) * size for child in children]


def test_only_the_rows_of_damaged_pages_are_lost(tmp_path: Path) -> None:
    photos, vectors = new_photos(2000), unit_vectors(2000)
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.add_folder("/photos")
        catalogue.record(BUNDLE, photos, vectors)
        catalogue.saved.put(SavedSearch("cats", "a cat", "best"))
        before = dict(zip(*catalogue.embeddings(BUNDLE), strict=True))
        generation = catalogue.generation
    path = tmp_path / "catalogue.db"
    pages = leaves(path, "photos")
    assert len(pages) > 20
    content = bytearray(path.read_bytes())
    for number in (3, 4, 5, 10):
        content[pages[number] : pages[number] + 8] = b"\xff" * 8
    path.write_bytes(content)

    kept, saved = salvage(path)

    assert kept.read_bytes() == content
    lost = 2000 - saved
    average = 2000 / len(pages)
    # Four pages, and not the rows behind them that a search for the next sound one leaps over.
    assert 3 * average < lost < 5 * average
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.health.faults() == []
        ids, rows = catalogue.embeddings(BUNDLE)
        assert len(ids) == saved
        assert all((before[number] == row).all() for number, row in zip(ids, rows, strict=True))
        assert catalogue.folders() == ["/photos"]
        assert [search.name for search in catalogue.saved.all()] == ["cats"]
        assert catalogue.generation > generation
        orphans = catalogue.health.orphans()
        assert (orphans.vectors, orphans.photos, orphans.unused) == (0, 0, 0)
    left = {each.name for each in tmp_path.iterdir() if not each.name.startswith(kept.name)}
    assert left == {path.name}


def test_photos_whose_contents_cannot_be_read_are_kept(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(3), unit_vectors(3))
    path = tmp_path / "catalogue.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'contents'"
        ).fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(content)

    assert salvage(path)[1] == 3
    with Catalogue.open(tmp_path) as catalogue:
        assert len(catalogue.paths("/photos", missing=False)) == 3
        # Encoded again by the next run, for nobody knows which vector was whose.
        assert catalogue.stamps("/photos", BUNDLE) == {}
        assert catalogue.health.faults() == []
