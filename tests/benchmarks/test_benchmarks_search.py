"""Benchmarks of searches and of libraries made for them, in small."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from optional import module

from benchmarks import warm_search
from benchmarks.libraries import make_library
from benchmarks.rescan import OURS, WALK, make_tree
from benchmarks.rescan import make_library as record_tree
from benchmarks.rescan import measure as measure_rescan
from benchmarks.synthetic import captions, photo_vectors
from benchmarks.vectors import Large, Lookup, look_up, questions
from benchmarks.vectors import measure as measure_library
from benchmarks.vectors import page as vectors_page
from benchmarks.vectors import plot as vectors_plot
from photosearch import Library
from photosearch.bench.processes import Spent
from photosearch.encoders import open_encoder

pytestmark = pytest.mark.slow


def test_photos_of_a_synthetic_library_are_near_to_their_captions_and_to_each_other(
    tiny_bundle: Path,
) -> None:
    encoder = open_encoder(tiny_bundle)
    (rows,) = photo_vectors(encoder, 500)
    assert rows.shape == (500, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    (again,) = photo_vectors(encoder, 500)
    np.testing.assert_array_equal(rows, again)
    assert len(set(captions())) == 10_000
    # Unlike random vectors they have near neighbours.
    cosines = np.sort(rows @ rows.T, axis=1)
    assert np.median(cosines[:, -2]) > np.median(cosines) + 0.2


def test_searches_in_an_open_library_are_timed_by_kind(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOSEARCH_MODEL", str(tiny_bundle))
    warm_search.run(tmp_path / "library", tmp_path, photos=300, searches=2)
    page = (tmp_path / "warm-search.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    assert [kind for kind, *_ in rows] == [*warm_search.KINDS, "all of these together"]
    assert all(0 < float(middle) <= float(most) for _, middle, most, _ in rows)


def test_a_large_library_is_searched_as_a_command_and_in_a_program(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOSEARCH_MODEL", str(tiny_bundle))
    encoder = open_encoder(tiny_bundle)
    asked = questions(encoder)
    make_library(tmp_path / "library", encoder, 300)
    large = measure_library(tmp_path / "library", encoder, asked, None, 300, rounds=2)
    assert (large.photos, large.lists, large.recall) == (300, "all", 1.0)
    assert len(large.cold) == len(large.open_seconds) == 2
    assert large.file_bytes > 300 * 2 * encoder.dim
    lookup = look_up(encoder, 3000, asked)
    assert len(lookup.exact) == len(asked)
    assert lookup.recall is None or lookup.recall > 0.9


def test_page_of_large_libraries_states_the_ratio_to_rclip(tmp_path: Path) -> None:
    module("matplotlib")
    clock = np.array([1.0, 3.0, 1.0])  # the machine was slow in the second round

    def spent(seconds: float, megabytes: float) -> list[Spent]:
        return [Spent(seconds * t, seconds, megabytes * 1e6) for t in clock]

    larges = [
        Large(1000, "all", spent(0.5, 200), spent(2, 1000), clock, clock, 1.0, 1.0, 10**6),
        Large(9000, "in clusters", spent(0.6, 300), [], clock, clock, 0.993, 0.9991, 10**7),
    ]
    lookups = [Lookup(500, clock, None, None), Lookup(5000, clock, clock / 2, 0.995)]
    text = vectors_page(larges, lookups, "on a machine")
    assert "**4.0 (4.0-4.0) times as fast as rclip, with 20% of its memory**" in text
    assert "| 99.3% | 99.91% |" in text
    assert "| 500 | 1.0 (1.0-2.0) | do not help |  |" in text
    assert "$" not in text
    vectors_plot(lookups, larges, tmp_path / "vectors.svg")
    assert "in clusters" in (tmp_path / "vectors.svg").read_text(encoding="utf-8")


def test_files_that_have_not_changed_are_looked_through(tmp_path: Path) -> None:
    make_tree(tmp_path / "photos", 30)
    record_tree(tmp_path / "library", tmp_path / "photos")
    before = (tmp_path / "library" / "catalogue.db").read_bytes()
    rows = measure_rescan(tmp_path, rounds=2).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [OURS, WALK]
    # Nothing was new to it: the catalogue is as it was.
    assert (tmp_path / "library" / "catalogue.db").read_bytes() == before
    with Library.open(tmp_path / "library") as library:
        assert library.status().encoded == 30
        assert not library.status().problems
