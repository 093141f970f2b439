"""Data sets in clip_benchmark's form that are damaged or incomplete."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from clip_benchmark_data import TEN, associations, captioned, measure_one, run, two_classes
from colour_bundle import BenchmarkSet, picture
from tars import write_tar

from photosearch.encoders import open_encoder
from trainer.data.photo_tars import PhotoTarError


@pytest.fixture(scope="module")
def encoder(colours):
    return open_encoder(colours)


class TestBadSets:
    def refused(self, encoder, folder: Path, message: str) -> None:
        with pytest.raises((ValueError, PhotoTarError)) as caught:
            measure_one(encoder, folder)
        assert str(folder) in str(caught.value)
        assert message in str(caught.value)

    def test_no_sets(self, colours, tmp_path):
        result = run(colours, "--clip-benchmark", tmp_path)
        assert result.exit_code == 1
        assert "holds no data sets" in result.stderr

    def test_two_of_one_task(self, colours, tmp_path):
        for name in ("cifar10", "vtab-cifar10"):
            two_classes(tmp_path, name)
        result = run(colours, "--clip-benchmark", tmp_path)
        assert result.exit_code == 1
        assert "are both CIFAR-10" in result.stderr

    @pytest.mark.parametrize(
        ("file", "content", "message"),
        [
            ("classnames.txt", "red\n", "holds one class"),
            ("classnames.txt", "\n", "classnames.txt: is empty"),
            ("zeroshot_classification_templates.txt", None, "is missing"),
            ("zeroshot_classification_templates.txt", "a wall\n", "'a wall' has no {c}"),
            ("test/nshards.txt", None, "nshards.txt: is missing"),
            ("test/nshards.txt", "many", "must hold the number of tars, not 'many'"),
            ("test/nshards.txt", "2", "1.tar: is missing"),
            ("dataset_type.txt", "multilabel", "'multilabel' is no kind"),
            ("test/0.tar", "no tar", "damaged"),
        ],
    )
    def test_files(self, encoder, tmp_path, file, content, message):
        folder = two_classes(tmp_path, "cifar10")
        if content is None:
            (folder / file).unlink()
        else:
            (folder / file).write_text(content)
        self.refused(encoder, folder, message)

    def test_a_set_of_another_kind_than_its_task(self, encoder, tmp_path):
        """Or its R@1 would go into the average as the accuracy of CIFAR-10."""
        self.refused(encoder, captioned(tmp_path / "a", "cifar10"), "CIFAR-10 is classification")
        self.refused(encoder, two_classes(tmp_path / "b", "flickr30k"), "Flickr30k is retrieval")

    @pytest.mark.parametrize("label", ["2", "-1", "red", ""])
    def test_a_label_that_is_no_class(self, encoder, tmp_path, label):
        folder = two_classes(tmp_path, "cifar10", (0, label))
        self.refused(encoder, folder, "s0000002.cls is")

    @pytest.mark.parametrize(
        ("members", "message"),
        [
            ([], "hold no photos"),
            ([("a.png", picture("red"))], "a.cls is missing"),
            ([("a.cls", b"0")], "a has 0 pictures"),
            ([("a.png", b"x"), ("a.jpg", b"x"), ("a.cls", b"0")], "a has 2 pictures"),
            ([("a.png", picture("red")[:50]), ("a.cls", b"0")], "a.png: not a readable picture"),
        ],
    )
    def test_members(self, encoder, tmp_path, members, message):
        folder = two_classes(tmp_path, "cifar10")
        write_tar(folder / "test" / "0.tar", members)
        self.refused(encoder, folder, message)

    @pytest.mark.parametrize("groups", [([0.5], [1.0]), ([[1]], [[2]]), ([], [])])
    def test_groups(self, encoder, tmp_path, groups):
        folder = two_classes(tmp_path, "geode", npy=groups)
        self.refused(encoder, folder, "vector of integers")

    def test_an_archive_of_arrays_is_no_group(self, encoder, tmp_path):
        folder = two_classes(tmp_path, "geode")
        archive = io.BytesIO()
        np.savez(archive, [1])
        members = [("a.png", picture("red")), ("a.cls", b"0"), ("a.npy", archive.getvalue())]
        write_tar(folder / "test" / "0.tar", members)
        self.refused(encoder, folder, "vector of integers")

    def test_no_groups(self, encoder, tmp_path):
        self.refused(encoder, two_classes(tmp_path, "geode"), "s0000000.npy is missing")

    def test_a_pickled_array_is_not_opened(self, encoder, tmp_path):
        marker = tmp_path / "ran"

        class Touch:
            def __reduce__(self):
                return Path.touch, (marker,)

        data = BenchmarkSet(tmp_path, "geode")
        data.classes("red", "blue")
        for colour in ("red", "blue"):
            data.add(colour, cls=0, npy=np.array([Touch()], dtype=object))
        self.refused(encoder, data.write(), "not an array")
        assert not marker.exists()

    def test_captions(self, encoder, tmp_path):
        folder = captioned(tmp_path, "flickr30k", ("red", " \n"))
        self.refused(encoder, folder, "s0000002.txt holds no caption")

    @pytest.mark.parametrize(
        ("about", "message"),
        [
            ({"cue": "red"}, "not a cue"),
            ({"cue": "red", "associations": []}, "no associations"),
            ({"cue": "red", "associations": [10]}, "numbers of the 10 candidates"),
            ({"cue": "red", "associations": ["a"]}, "numbers of the 10 candidates"),
        ],
    )
    def test_associations(self, encoder, tmp_path, about, message):
        folder = associations(tmp_path, "winogavil", ("red", TEN, [0]))
        members = [("a.json", json.dumps(about).encode())]
        members += [(f"a.{place}.png", picture(colour)) for place, colour in enumerate(TEN)]
        write_tar(folder / "test" / "0.tar", members)
        self.refused(encoder, folder, message)

    def test_candidates_with_a_gap(self, encoder, tmp_path):
        folder = associations(tmp_path, "winogavil", ("red", TEN, [0]))
        write_tar(
            folder / "test" / "0.tar",
            [("a.json", b'{"cue": "x", "associations": [0]}'), ("a.1.png", picture("red"))],
        )
        self.refused(encoder, folder, "counted from 0")

    def test_a_missing_set_is_noticed_before_anything_is_encoded(self, colours, tmp_path):
        two_classes(tmp_path, "cifar10")
        shutil.rmtree(two_classes(tmp_path, "mnist") / "test")
        result = run(colours, "--clip-benchmark", tmp_path)
        assert result.exit_code == 1
        assert "classifying" not in result.stderr
