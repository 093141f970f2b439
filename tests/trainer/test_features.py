"""Classifier outputs of the views of photos: computed once, in any number of processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tars import sample, write_tar
from tiny_tflite import random_network, write_classifier

from trainer.data.photo_tars import PhotoTarError, decode, read_photos
from trainer.data.views import draw_view
from trainer.teachers.classifier import TfliteClassifier
from trainer.teachers.features import ViewFeatures, cache_path, compute_features, join

# More than are handed to a process at once, and not a multiple of it.
COUNT = 70
WIDTH = 12


def photo_tar(path: Path, keys: list[str], *, seed: int = 0) -> Path:
    """Random patterns of different sizes; every third photo has no captions."""
    random = np.random.default_rng(seed)
    members = []
    for number, key in enumerate(keys):
        patches = random.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        size = (40 + number, 64)
        picture = Image.fromarray(patches).resize(size, Image.Resampling.NEAREST)
        captions = [f"pattern {number}", f"number {number}"]
        members += sample(key, picture, {"captions": captions} if number % 3 else None)
    return write_tar(path, members)


@pytest.fixture(scope="module")
def tar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys = [f"photo-{number:03}" for number in range(COUNT)]
    return photo_tar(tmp_path_factory.mktemp("photos") / "photos.tar", keys)


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two networks of different input sizes."""
    folder, random = tmp_path_factory.mktemp("classifiers"), np.random.default_rng(0)
    paths = []
    for size in (32, 48):
        pictures = random.integers(0, 256, (4, size, size, 3), dtype=np.uint8)
        network = random_network(random, 5)
        paths.append(write_classifier(folder / f"{size}.tflite", network, pictures))
    return paths


@pytest.fixture(scope="module")
def computed(
    tar: Path, classifiers: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ViewFeatures]:
    """The features of view 1, and the folder that they are cached in."""
    folder = tmp_path_factory.mktemp("cache") / "features"
    return folder, compute_features(tar, classifiers, folder, view=1, workers=1)


def same(ours: ViewFeatures, theirs: ViewFeatures) -> None:
    assert ours.keys == theirs.keys
    assert ours.captions == theirs.captions
    assert ours.classifiers == theirs.classifiers
    for name in ("features", "probabilities"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert mine.dtype == other.dtype
        assert np.array_equal(mine, other)


def test_rows_are_what_the_classifiers_say_of_each_view(
    tar: Path, classifiers: list[Path], computed: tuple[Path, ViewFeatures]
) -> None:
    found = computed[1]
    samples = list(read_photos(tar))
    assert found.keys == [sample.key for sample in samples]
    assert found.features.shape == (COUNT, 2 * WIDTH)
    assert found.features.dtype == found.probabilities.dtype == np.float16
    networks = [TfliteClassifier(path) for path in classifiers]
    for row in (0, 31, 32, COUNT - 1):
        view, photo = draw_view(samples[row].key, 1), decode(samples[row])
        said = [network(np.asarray(view.replay(photo, network.size))[None]) for network in networks]
        features = np.concatenate([features[0] for features, _ in said]).astype(np.float16)
        assert np.array_equal(found.features[row], features)
        chances = np.mean([chances[0] for _, chances in said], axis=0)
        np.testing.assert_allclose(found.probabilities[row], chances, atol=1e-3)


def test_captions_stay_with_their_photos(computed: tuple[Path, ViewFeatures]) -> None:
    captions = computed[1].captions
    assert len(captions) == COUNT
    assert captions[:3] == [[], ["pattern 1", "number 1"], ["pattern 2", "number 2"]]
    assert captions[-1] == []


def test_two_processes_give_the_same(
    tar: Path, classifiers: list[Path], computed: tuple[Path, ViewFeatures], tmp_path: Path
) -> None:
    same(compute_features(tar, classifiers, tmp_path, view=1, workers=2), computed[1])


def test_what_is_cached_is_read_and_not_computed(
    tar: Path, classifiers: list[Path], computed: tuple[Path, ViewFeatures], tmp_path: Path
) -> None:
    folder, found = computed
    path = cache_path(folder, tar, 1)
    assert [file.name for file in folder.iterdir()] == [path.name] == ["photos.view1.npz"]
    gone = tmp_path / tar.name  # nothing could be computed of this one
    same(compute_features(gone, classifiers, folder, view=1), found)
    same(ViewFeatures.load(path), found)


def test_what_other_classifiers_said_is_not_taken(
    tar: Path, classifiers: list[Path], computed: tuple[Path, ViewFeatures], tmp_path: Path
) -> None:
    folder, found = computed
    for others in (classifiers[:1], classifiers[::-1]):
        with pytest.raises(ValueError, match=r"photos\.view1\.npz: comes from other classifiers"):
            compute_features(tar, others, folder, view=1)
    # Files of older versions do not say.
    replace(found, classifiers=()).save(cache_path(tmp_path, tar, 1))
    same(compute_features(tar, classifiers, tmp_path, view=1), replace(found, classifiers=()))


def test_each_kind_of_view_has_its_own_file(
    tar: Path, classifiers: list[Path], tmp_path: Path
) -> None:
    low = compute_features(tar, classifiers[:1], tmp_path, view=1, degrade=True, workers=1)
    whole = compute_features(tar, classifiers[:1], tmp_path, view=0, workers=1)
    assert {file.name for file in tmp_path.iterdir()} == {"photos.low1.npz", "photos.view0.npz"}
    assert not np.array_equal(low.features, whole.features)


def test_tars_are_joined_in_order(
    classifiers: list[Path], computed: tuple[Path, ViewFeatures], tmp_path: Path
) -> None:
    few = photo_tar(tmp_path / "few.tar", ["a", "b"], seed=1)
    second = compute_features(few, classifiers, tmp_path, view=1, workers=1)
    both = join([computed[1], second])
    assert both.keys == [*computed[1].keys, "a", "b"]
    assert both.captions == [*computed[1].captions, [], ["pattern 1", "number 1"]]
    for name in ("features", "probabilities"):
        joined = getattr(both, name)
        assert np.array_equal(joined[:COUNT], getattr(computed[1], name))
        assert np.array_equal(joined[COUNT:], getattr(second, name))


class TestWhatCannotBeRead:
    def test_a_tar_without_photos(self, classifiers: list[Path], tmp_path: Path) -> None:
        empty = photo_tar(tmp_path / "empty.tar", [])
        with pytest.raises(ValueError, match=r"empty\.tar: holds no photos"):
            compute_features(empty, classifiers, tmp_path / "cache")
        assert not (tmp_path / "cache").exists()

    def test_a_broken_photo(self, classifiers: list[Path], tmp_path: Path) -> None:
        path = photo_tar(tmp_path / "broken.tar", ["a", "b"])
        data = path.read_bytes()
        second = data.index(b"\x89PNG", data.index(b"\x89PNG") + 1)
        path.write_bytes(data[: second + 60] + b"\xff" * 60 + data[second + 120 :])
        with pytest.raises(PhotoTarError, match=r"broken\.tar: b\.png: not a readable picture"):
            compute_features(path, classifiers, tmp_path / "cache", workers=1)
        assert not list((tmp_path / "cache").glob("*"))

    def test_a_missing_classifier(self, tar: Path, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"gone\.tflite: no such file"):
            compute_features(tar, [tmp_path / "gone.tflite"], tmp_path / "cache")
        (tmp_path / "page.tflite").write_text("<html>404 Not Found</html>")
        with pytest.raises(ValueError, match=r"page\.tflite: not a usable \.tflite file"):
            compute_features(tar, [tmp_path / "page.tflite"], tmp_path / "cache")

    def test_a_cache_that_is_missing_or_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "photos.view0.npz"
        with pytest.raises(ValueError, match=r"photos\.view0\.npz: no such file; make it with"):
            ViewFeatures.load(path)
        for content in (b"", b"PK\x03\x04 cut short"):
            path.write_bytes(content)
            with pytest.raises(ValueError, match=r"photos\.view0\.npz: not a file of features"):
                ViewFeatures.load(path)
