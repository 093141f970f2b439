"""Videos: several vectors each, and a hit knows the moment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import photo_metadata as make
import pytest
from catalogue_data import BUNDLE, new_photos, unit_vectors
from optional import module
from photo_metadata import jpeg
from PIL import Image
from videos import video

from index import Catalogue, FaissIndex, Frames
from photosearch import Library

module("av")


@pytest.fixture
def library(tmp_path: Path, colours: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", model=colours) as library:
        yield library


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    video(folder / "video.mp4", ["red", "green", "blue"], seconds=4)
    make.write(folder / "green.jpg", jpeg(Image.new("RGB", (40, 40), "green")))
    make.write(folder / "yellow.jpg", jpeg(Image.new("RGB", (40, 40), "yellow")))
    return folder


@pytest.mark.slow
def test_a_hit_opens_at_the_moment(library: Library, photos: Path) -> None:
    list(library.index([photos], workers=1))
    for colour, moment in (("red", 0.0), ("green", 4.0), ("blue", 8.0)):
        found = {Path(hit.path).name: hit for hit in library.search(colour)}
        assert len(found) == 3  # each photo once
        hit = found["video.mp4"]
        assert hit.moment == pytest.approx(moment, abs=0.3)
        assert hit.score is not None
        assert hit.score > 0.5
        assert found["green.jpg"].moment is None
        assert (hit.width, hit.height) == (64, 64)
    assert library.search("blue", limit=1)[0].path.endswith("video.mp4")
    assert library.search("blue", limit=2)[1].moment is None


@pytest.mark.slow
def test_filters_hold_for_videos_too(library: Library, photos: Path) -> None:
    list(library.index([photos], workers=1))
    hits = library.search("blue is:square")
    assert {Path(hit.path).name for hit in hits} == {"video.mp4", "green.jpg", "yellow.jpg"}
    assert Path(hits[0].path).name == "video.mp4"
    assert len(library.search("blue type:jpg")) == 2


@pytest.mark.slow
def test_a_copy_shares_the_frames_and_a_video_that_is_gone_is_not_found(
    library: Library, photos: Path
) -> None:
    list(library.index([photos], workers=1))
    shutil.copyfile(photos / "video.mp4", photos / "copy.mp4")
    (photos / "video.mp4").unlink()
    list(library.index([photos], workers=1))
    hits = library.search("blue")
    assert [Path(hit.path).name for hit in hits if hit.moment is not None] == ["copy.mp4"]
    assert hits[0].moment == pytest.approx(8.0, abs=0.3)


@pytest.mark.slow
def test_another_model_has_frames_of_its_own(
    library: Library, photos: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    list(library.index([photos], workers=1))
    (tmp_path / "other").mkdir()
    with Library.open(tmp_path / "other", model=tiny_bundle) as other:
        list(other.index([photos], workers=1))
        tiny = other.status().model
    with Catalogue.open(tmp_path / "other", readonly=True) as catalogue:
        assert catalogue.frames(tiny) is not None
        assert catalogue.frames("none") is None


def test_search_is_exact_with_frames(tmp_path: Path) -> None:
    """The best of all vectors of a photo counts, among all photos and among some."""
    vectors, more = unit_vectors(60), unit_vectors(60 * 5, seed=1).reshape(60, 5, 16)
    photos = new_photos(60)
    frames = {
        photo.path: Frames(tuple(range(6)), np.concatenate([vectors[n : n + 1], more[n]]))
        for n, photo in enumerate(photos)
        if n % 3 == 0
    }
    queries = unit_vectors(4, seed=2)
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, photos, vectors, frames)
        ids = catalogue.embeddings(BUNDLE)[0]
        best = queries @ vectors.T
        for n in range(0, 60, 3):
            best[:, n] = np.maximum(best[:, n], (queries @ more[n].T).max(axis=1))
        index = FaissIndex.open(catalogue, BUNDLE)
        assert len(index) == 60
        for among in (None, ids[10:40]):
            allowed = np.arange(60) if among is None else np.arange(10, 40)
            for k in (1, 7, 100):
                scores, found = index.search(queries, k, among=among)
                for row in range(4):
                    order = allowed[np.argsort(-best[row, allowed])][:k]
                    assert found[row].tolist() == ids[order].tolist()
                    assert scores[row] == pytest.approx(best[row, order], abs=1e-2)
            for row in range(4):
                order = allowed[np.argsort(-best[row, allowed])]
                least = float(best[row, order[9]]) - 1e-3
                gap = float(best[row, order[0]]) - least
                for asked in ((least,), (-1.0, gap + 1e-3)):
                    scores, found = index.within(queries[row], *asked, among=among)
                    assert found[:10].tolist() == ids[order[:10]].tolist()
                    assert len(found) <= 12
                assert found[:10].tolist() == ids[order[:10]].tolist()
                assert scores[:10] == pytest.approx(best[row, order[:10]], abs=1e-2)
        gathered = index.gather(ids[10:40])
        assert gathered.scores(queries[0]) == pytest.approx(best[0, 10:40], abs=1e-2)
        moments = catalogue.moments(BUNDLE, ids.tolist(), more[3][2])
        assert len(moments) == 20
        assert moments[int(ids[3])] == 3.0
        assert catalogue.drop_bundle(BUNDLE) == 60
        assert catalogue.frames(BUNDLE) is None


def test_a_video_that_is_recorded_again_has_only_its_new_frames(tmp_path: Path) -> None:
    (photo,) = new_photos(1)
    vectors = unit_vectors(3)
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, [photo], vectors[:1], {photo.path: Frames((0, 1, 2), vectors)})
        catalogue.record(BUNDLE, [photo], vectors[:1], {photo.path: Frames((5,), vectors[:1])})
        assert catalogue.moments(BUNDLE, [1], vectors[2]) == {1: 5.0}
        assert catalogue.frames(BUNDLE) is None


@pytest.mark.slow
def test_a_video_is_a_term_by_its_path(library: Library, photos: Path, tmp_path: Path) -> None:
    """One of the library, and any other."""
    list(library.index([photos], workers=1))
    other = tmp_path / "clip.mov"
    video(other, ["green"] * 3, seconds=3)
    found = library.search(str(other), limit=2)
    assert [part.kind for part in found.query.parts] == ["like"]
    assert {Path(hit.path).name for hit in found} == {"video.mp4", "green.jpg"}
    known = library.search(str(photos / "video.mp4"), limit=1)
    assert Path(known[0].path).name == "video.mp4"
