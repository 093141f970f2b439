"""Clusters of a machine that never indexes in the archive that it shares."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue_data import BUNDLE, new_photos
from clustered_data import COUNT, like_photos, like_texts
from postgres import Postgres, database_of
from served import served_here

from index import Catalogue, FaissIndex
from index.shared.address import folder_of
from index.vectors import vectors
from index.vectors.vector_file import read_vectors
from photosearch import Library
from photosearch.search.kept import Kept
from photosearch.serving import clusters

pytestmark = pytest.mark.slow


@pytest.fixture
def reader(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an archive for a user who may only read it; a few photos are many."""
    monkeypatch.setattr(vectors, "CLUSTERED_FROM", 3)
    address = postgres.archive()
    name = database_of(address)
    if not postgres.ask("SELECT 1 FROM pg_roles WHERE rolname = 'onlooker'"):
        postgres.ask("CREATE ROLE onlooker LOGIN")
    postgres.ask("GRANT USAGE ON SCHEMA photosearch TO onlooker", name)
    postgres.ask("GRANT SELECT ON ALL TABLES IN SCHEMA photosearch TO onlooker", name)
    yield address.replace("keeper@", "onlooker@")
    postgres.give_back(address)


def test_who_may_only_read_makes_them(reader: str, tmp_path: Path) -> None:
    with Catalogue.open(folder_of(reader.replace("onlooker@", "keeper@"), tmp_path)) as writer:
        writer.record(BUNDLE, new_photos(COUNT), like_photos(COUNT, seed=1))
    with Catalogue.open(folder_of(reader, tmp_path), readonly=True) as catalogue:
        kept = Kept(catalogue)
        exact = kept.vectors(BUNDLE)
        assert kept.vectors(BUNDLE) is exact
        assert FaissIndex.is_due(catalogue, BUNDLE)
        generation = catalogue.generation
        assert FaissIndex.refresh(catalogue, BUNDLE, like_texts)
        assert not FaissIndex.is_due(catalogue, BUNDLE)
        assert catalogue.generation == generation
        found = read_vectors(vectors.vector_file(catalogue, BUNDLE))
        assert found is not None
        assert 0 < found[0].probes[10] < found[0].index.nlist
        # Whoever has the library open goes on with them.
        assert kept.vectors(BUNDLE) is not exact


def test_the_page_has_them_made(
    reader: str, tiny_bundle: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(clusters, "_FIRST", 2.0)
    with Library.open(reader.replace("onlooker@", "keeper@"), model=tiny_bundle) as library:
        for _ in library.index([photos], workers=1):
            pass
        maker = clusters.ClusterMaker(library.folder, tiny_bundle)
        # The index run has made the file; where it is gone it is made anew, but not beside a run.
        assert not maker._is_due()
        FaissIndex.discard(library.folder)
        assert maker._is_due()
        with library.writing():
            assert not maker._is_due()
        maker.close()
    with served_here(reader, tiny_bundle):  # type: ignore[arg-type]
        kept = tmp_path / "data" / "photosearch" / "archives"
        while not list(kept.glob("*onlooker*/vectors/*.faiss")):
            time.sleep(0.05)
