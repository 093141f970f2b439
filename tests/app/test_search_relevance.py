"""A search that says no: the bundled model and real pictures, from the library and the shell."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import fastjsonschema
import numpy as np
import pytest
from bundled_library import index_bundled
from catalogue_data import BUNDLE, new_photos, unit_vectors
from shell import Shell

import photosearch.search
from index import Catalogue, FaissIndex
from photosearch import Library
from photosearch.encoders import Bundle, bundled_path, write_manifest
from photosearch.search import compose
from photosearch.search.compose import Composed, rank, rank_within

NAMES = ("chelsea.png", "coffee.png", "rocket.jpg")
ABSENT = "people playing football"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """A library of a cat, a cup and a rocket, the first two of them twice at another size."""
    from PIL import Image

    place = tmp_path_factory.mktemp("relevance")
    (place / "photos").mkdir()
    for number, name in enumerate(NAMES):
        shutil.copyfile(pictures / name, place / "photos" / name)
        with Image.open(pictures / name) as opened:
            smaller = opened.convert("RGB").resize((200 + 9 * number, 150))
        if number < 2:
            smaller.save(place / "photos" / f"small-{name}")
    for number, file in enumerate(sorted((place / "photos").iterdir())):
        os.utime(file, (1_600_000_000 + 86_400 * number,) * 2)
    return index_bundled(place)


@pytest.fixture(scope="module")
def library(place: Path) -> Iterator[Library]:
    with Library.open(place / "library", model=bundled_path()) as library:
        yield library


def names(hits: list) -> list[str]:
    return [Path(hit.path).name for hit in hits]


@pytest.mark.slow
def test_what_is_shown_looks_like_it(library: Library) -> None:
    hits = library.search("a cat")
    assert sorted(names(hits)) == ["chelsea.png", "small-chelsea.png"]
    assert (hits.total, hits.beyond) == (2, 3)
    assert hits.cutoff is not None
    every = library.search("a cat", everything=True)
    assert names(every)[:2] == names(hits)
    assert (len(every), every.total, every.beyond, every.cutoff) == (5, 5, 0, None)
    assert every[1].score >= hits.cutoff > every[2].score


def test_what_is_not_there_is_not_found(library: Library) -> None:
    hits = library.search(ABSENT)
    assert (list(hits), hits.total, hits.beyond) == ([], 0, 5)
    assert len(library.search(ABSENT, everything=True, limit=3)) == 3


def test_pages_and_dates_are_of_what_fits(library: Library) -> None:
    one, two = (library.search("a cat", limit=1, offset=offset) for offset in (0, 1))
    assert names([*one, *two]) == names(library.search("a cat"))
    assert (one.total, two.total) == (2, 2)
    past = library.search("a cat", offset=2)
    assert (list(past), past.total, past.beyond) == ([], 2, 3)
    # Only one of them says when it was taken, and those that do not come last.
    assert names(library.search("a cat", sort="newest")) == ["chelsea.png", "small-chelsea.png"]
    assert names(library.search("a cat", sort="oldest")) == ["chelsea.png", "small-chelsea.png"]
    every = names(library.search("a cat", sort="newest", everything=True))
    undated = [name for name in every if name != "chelsea.png"]
    assert undated == sorted(undated, reverse=True)


def test_filters_leave_fewer_to_find(library: Library) -> None:
    hits = library.search("a cat type:jpeg")
    assert (list(hits), hits.total, hits.beyond) == ([], 0, 1)
    assert names(library.search("a rocket launch type:jpeg")) == ["rocket.jpg"]
    assert len(library.search("type:png")) == 4


def test_a_photo_as_query_has_no_cut_off(library: Library, place: Path) -> None:
    hits = library.search(images=[place / "photos" / "chelsea.png"])
    assert (len(hits), hits.cutoff) == (5, None)


def test_negatives_are_held_to_it_too(library: Library) -> None:
    assert len(library.search("-cat")) == 5  # nothing is described
    hits = library.search("a cat -people")
    assert sorted(names(hits)) == ["chelsea.png", "small-chelsea.png"]


@pytest.mark.parametrize("text", ["a cat", "a cup", "a rocket", "a cat -coffee", "a cup -coffee"])
def test_what_is_found_is_all_that_reaches_the_cut_off(library: Library, text: str) -> None:
    found = library.search(text)
    every = library.search(text, everything=True)
    assert found.cutoff is not None
    reaching = [hit for hit in every if hit.score is not None and hit.score >= found.cutoff]
    assert names(found) == names(reaching)
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in reaching], abs=1e-6)
    assert (found.total, found.beyond) == (len(reaching), len(every) - len(reaching))


@pytest.mark.parametrize("gap", [0.0, 0.05, 0.3, 3.0])
@pytest.mark.parametrize("least", [-2.0, 0.2])
@pytest.mark.parametrize("at_once", [7, 65_536])
def test_what_is_ruled_out_lets_in_what_was_too_far_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, least: float, gap: float
) -> None:
    """The best photos are just what should not be seen."""
    monkeypatch.setattr(compose, "_AT_ONCE", at_once)
    vectors = unit_vectors(300, 24)
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(300), vectors)
        index = FaissIndex.open(catalogue, BUNDLE)
        typical = index.gather(np.arange(1, 301, 7))
    for seed in range(20):
        (like,) = unit_vectors(1, 24, seed=seed + 1)
        best = vectors[np.argsort(-(vectors @ like))[:2]]
        composed = Composed(like, tuple((vector, 1.0) for vector in best))
        scores, ids = rank(composed, index, 300, typical=typical)
        count = int((scores >= max(least, scores[0] - gap - 1e-7)).sum())
        found_scores, found = rank_within(composed, index, least, gap, typical=typical)
        assert found.tolist() == ids[:count].tolist()
        assert found_scores == pytest.approx(scores[:count], abs=1e-6)


def test_a_library_of_a_model_without_calibration_shows_all(place: Path, tmp_path: Path) -> None:
    """The same vectors: they were made before the bundle was calibrated, or after."""
    bundle = shutil.copytree(bundled_path(), tmp_path / "bundle")
    fields = Bundle.open(bundle).manifest
    (bundle / "background.npy").unlink()
    kept = {key: fields[key] for key in fields if key not in ("format", "files")}
    write_manifest(bundle, kept | {"calibration": None})
    with Library.open(place / "library", model=bundle) as library:
        hits = library.search(ABSENT)
        assert (len(hits), hits.total, hits.cutoff) == (5, 5, None)


class TestShell:
    @pytest.fixture
    def run(self, place: Path) -> Shell:
        return Shell(place, bundled_path())

    @pytest.mark.slow
    def test_says_no_and_how_to_see_more(self, run: Shell) -> None:
        result = run("search", ABSENT)
        assert (result.returncode, result.stdout) == (1, b"")
        assert result.stderr.decode() == (
            "Nothing here looks like that. --all shows the nearest of 5 photos.\n"
        )
        result = run("search", "--all", "-n", "2", ABSENT)
        assert result.returncode == 0
        assert len(result.stdout.splitlines()) == 2

    def test_json_says_where_it_cuts_off(self, run: Shell) -> None:
        schema = Path(photosearch.search.__file__).with_name("result.schema.json")
        check = fastjsonschema.compile(json.loads(schema.read_text()))
        result = run("search", "--json", ABSENT)
        assert result.returncode == 1
        found = check(json.loads(result.stdout))
        assert (found["hits"], found["total"], found["beyond"]) == ([], 0, 5)
        assert isinstance(found["cutoff"], float)
        found = check(json.loads(run("search", "--json", "--all", ABSENT).stdout))
        assert (len(found["hits"]), found["beyond"], found["cutoff"]) == (5, 0, None)
        assert np.all(np.diff([hit["score"] for hit in found["hits"]]) <= 0)

    def test_past_the_last_page(self, run: Shell) -> None:
        result = run("search", "a cat", "--offset", "2")
        assert result.returncode == 1
        assert result.stderr.decode() == "There are no more photos after the first 2.\n"
