"""Data sets in clip_benchmark's form, each metric of the 38 tasks, and the rule for their average.

Pictures are of one colour each and the bundle knows colours, so the figures follow from the files.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import fastjsonschema
import numpy as np
import pytest
from clip_benchmark_data import (
    TEN,
    associations,
    captioned,
    measure_one,
    run,
    two_classes,
    write_task,
)
from colour_bundle import COLOURS, BenchmarkSet, picture
from tars import write_tar

import trainer.evaluate
from photosearch.encoders import open_encoder
from trainer.evaluate.association import chance_jaccard
from trainer.evaluate.clip_benchmark import measure_sets
from trainer.evaluate.datacomp38 import Result as TaskResult
from trainer.evaluate.datacomp38 import find_task, summarise, tasks
from trainer.evaluate.figure import Figure
from trainer.evaluate.measures import Measure


@pytest.fixture(scope="module")
def encoder(colours):
    return open_encoder(colours)


@pytest.fixture(scope="module")
def all_38(tmp_path_factory) -> Path:
    """A data set of two classes and two pictures for each of the 38 tasks; one is mislabelled."""
    parent = tmp_path_factory.mktemp("all")
    for task in tasks():
        write_task(parent, task, (1, 0) if task.key == "mnist" else (0, 1))
    return parent


class TestTheList:
    def test_is_datacomp_s_less_the_two_of_faces(self):
        assert len(tasks()) == len({task.key for task in tasks()}) == 38
        assert not {"fairness/fairface", "fairness/utkface"} & {task.key for task in tasks()}
        assert Counter(task.metric for task in tasks()) == {
            "top-1": 27,
            "mean per-class recall": 4,
            "mean R@1": 2,
            "worst-group top-1": 2,
            "worst-group top-5": 1,
            "macro F1": 1,
            "Jaccard": 1,
        }
        names = [name for task in tasks() for name in task.folders]
        assert len(names) == len(set(names))

    @pytest.mark.parametrize(
        ("folder", "key"),
        [
            ("wds_imagenet1k", "imagenet1k"),
            ("wds_imagenet-a_test", "imagenet-a"),
            ("wds_vtab-caltech101_test", "vtab/caltech101"),
            ("wds_vtab-cifar10", "cifar10"),
            ("wds_mscoco_captions", "retrieval/mscoco_2014_5k_test_image_text_retrieval"),
            ("wds_geode_test", "fairness/geode"),
            ("wds_fer2013", None),
            ("wds_fairface_test", None),
        ],
    )
    def test_folders_are_known_by_name(self, folder, key):
        found = find_task(folder)
        assert (found and found.key) == key


class TestTheAverage:
    def test_is_given_when_all_38_ran(self, colours, all_38, tmp_path):
        output = tmp_path / "figures.json"
        result = run(colours, "--clip-benchmark", all_38, "--json", output, "--quiet")
        assert result.exit_code == 0, result.output
        report = json.loads(output.read_text())
        schema = Path(trainer.evaluate.__file__).with_name("report.schema.json")
        fastjsonschema.validate(json.loads(schema.read_text()), report)
        assert (report["datacomp"]["ran"], report["datacomp"]["of"]) == (38, 38)
        assert report["datacomp"]["missing"] == []
        average = Measure.from_record(report["datacomp"]["average"])
        # Every task but the mislabelled one is wholly right.
        assert average.figure.value == pytest.approx(37 / 38)
        assert average.figure.low < 37 / 38 < average.figure.high <= 1
        assert 0.3 < average.figure.chance < 0.6
        assert "average of 38 tasks" in result.stdout
        assert "97.4%" in result.stdout
        # None of these sets is what the published figures were measured on.
        assert len(report["datacomp"]["other_size"]) == 38
        assert "compares with no published one" in result.stdout

    @pytest.mark.parametrize("missing", ["wds_mnist", "wds_misc-winogavil"])
    def test_is_not_when_one_is_missing(self, encoder, colours, all_38, tmp_path, missing):
        some = tmp_path / "some"
        some.mkdir()
        for folder in all_38.iterdir():
            if folder.name != missing:
                (some / folder.name).symlink_to(folder)
        # A set that is none of the 38 does not make up for it.
        two_classes(some, "fer2013")
        _, measures, ran = measure_sets(encoder, some)
        assert ran.missing == (find_task(missing).key,)
        assert ran.average is None
        assert "37 of the 38 DataComp tasks ran" in ran.sentence()
        assert ran.record()["average"] is None
        assert {measure.data for measure in measures} >= {"wds_fer2013", "wds_imagenet1k"}

    def test_is_nowhere_in_what_a_part_of_them_prints(self, colours, tmp_path):
        two_classes(tmp_path / "sets", "imagenet1k")
        outputs = tmp_path / "figures.json", tmp_path / "figures.md"
        result = run(
            colours, "--clip-benchmark", tmp_path / "sets", "--json", outputs[0],
            "--markdown", outputs[1], "--quiet",
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        assert "1 of the 38 DataComp tasks ran; their average is only given" in result.stdout
        assert "average of" not in result.stdout + outputs[1].read_text()
        report = json.loads(outputs[0].read_text())
        assert report["datacomp"]["average"] is None
        assert len(report["datacomp"]["missing"]) == 37
        assert not [each for each in report["metrics"] if each["metric"] == "average"]

    def test_is_of_the_figures_that_count(self):
        rng = np.random.default_rng(1)
        values = rng.uniform(0.3, 0.6, size=38)
        results = {
            task.key: TaskResult(
                Figure(task.metric, value, value - 0.1, value + 0.1, 0.2), task.size
            )
            for task, value in zip(tasks(), values, strict=True)
        }
        ran = summarise(results)
        assert ran.average is not None
        figure = ran.average.figure
        assert figure.value == pytest.approx(values.mean())
        assert figure.chance == pytest.approx(0.2)
        # 38 independent errors of 0.1.
        assert figure.high - figure.value == pytest.approx(0.1 / np.sqrt(38))
        assert ran.other_size == ()
        assert ran.sentence() == "All 38 DataComp tasks ran."
        for key in results:
            assert (
                summarise({name: each for name, each in results.items() if name != key}).average
                is None
            )


class TestMetrics:
    def test_classification(self, encoder, tmp_path):
        data = BenchmarkSet(tmp_path, "vtab-pets_test")
        data.classes(*COLOURS)
        for colour in ("red", "red", "red", "blue"):
            data.add(colour, cls=0)
        data.add("green", cls=1)
        found, result = measure_one(encoder, data.write())
        assert found["top-1"].figure.value == pytest.approx(4 / 5)
        assert found["top-1"].task == "zero-shot, 6 classes"
        assert (found["top-1"].queries, found["top-1"].gallery) == (5, 6)
        recall = found["mean per-class recall"].figure
        assert recall.value == pytest.approx((3 / 4 + 1) / 2)
        assert result == TaskResult(recall, 5)

    def test_templates_are_the_set_s_own(self, encoder, tmp_path):
        data = BenchmarkSet(tmp_path, "cifar10")
        # With this template the class called blue is the purple one, and that called red, red.
        data.classes("red", "blue", templates=("red {c}",))
        data.add("purple", cls=1)
        data.add("red", cls=0)
        found, _ = measure_one(encoder, data.write())
        assert found["top-1"].figure.value == 1

    def test_macro_f1(self, encoder, tmp_path):
        data = BenchmarkSet(tmp_path, "wilds-iwildcam_test")
        data.classes("red", "blue", "green")
        for colour, label in (("red", 0), ("red", 0), ("blue", 0), ("blue", 1)):
            data.add(colour, cls=label)
        found, result = measure_one(encoder, data.write())
        # Red: 2 hits, 3 photos, 2 guesses; blue: 1 hit, 1 photo, 2 guesses; green has no photo.
        assert found["macro F1"].figure.value == pytest.approx((4 / 5 + 2 / 3) / 2)
        assert result.figure.name == "macro F1"

    def test_worst_group(self, encoder, tmp_path):
        data = BenchmarkSet(tmp_path, "wilds-fmow")
        data.classes("red", "blue")
        for colour, label, group in (("red", 0, 7), ("red", 1, 7), ("blue", 1, 2), ("red", 1, 0)):
            data.add(colour, cls=label, npy=[group, 2016, label])
        data.add("red", cls=0, npy=[0, 2017, 0])
        found, result = measure_one(encoder, data.write())
        assert found["top-1"].figure.value == pytest.approx(3 / 5)
        assert result.figure.name == "worst-group top-1"
        assert result.figure.value == pytest.approx(1 / 2)
        assert found["worst-group top-1"].queries == 5

    @pytest.mark.parametrize(("colour", "value"), [("blue", 1), ("yellow", 0)])
    def test_worst_group_among_the_first_five(self, encoder, tmp_path, colour, value):
        data = BenchmarkSet(tmp_path, "dollar_street_test")
        data.classes(*COLOURS)
        data.add("red", cls=0, npy=[1, 0, 0])
        # To a black picture, black comes first, then red, green and blue, alike; yellow and
        # purple are last, alike too. Ties count against the encoder: blue is fourth, yellow sixth.
        data.add("black", cls=list(COLOURS).index(colour), npy=[2, 0, 0])
        _, result = measure_one(encoder, data.write())
        assert result.figure.name == "worst-group top-5"
        assert result.figure.value == value

    def test_retrieval(self, encoder, tmp_path):
        found, result = measure_one(
            encoder, captioned(tmp_path, "flickr30k", ("a red wall\nblue\n", "it is blue"))
        )
        # Two of three captions find their photo. Each photo finds a caption of its own first,
        # but blue has a rival that says the same.
        assert result.figure.value == pytest.approx((2 / 3 + 1 / 2) / 2)
        assert result.size == 2
        assert found["mean R@1"].gallery == 2
        assert found["mean R@1"].figure.chance == pytest.approx((1 / 2 + (2 / 3 + 1 / 3) / 2) / 2)

    def test_a_set_without_class_names_or_type_is_retrieval(self, encoder, tmp_path):
        folder = captioned(tmp_path, "flickr8k")
        (folder / "dataset_type.txt").unlink()
        found, result = measure_one(encoder, folder)
        assert found["mean R@1"].figure.value == 1
        assert result is None  # none of the 38

    def test_association(self, encoder, tmp_path):
        folder = associations(
            tmp_path,
            "winogavil",
            ("Red", TEN, [0, 2]),  # both found
            ("green", TEN, [0, 3, 4]),  # green pictures tie, so three of seven others come first
            ("blue", TEN, [1, 2]),  # one of two: 1 / 3
            ("red", ["red", "blue", "green", "black", "red"], [1]),  # five candidates: not counted
        )
        found, result = measure_one(encoder, folder)
        measure = found["Jaccard"]
        assert measure.queries == 3
        assert result.size == 4
        assert measure.figure.chance == pytest.approx(
            (2 * chance_jaccard(10, 2) + chance_jaccard(10, 3)) / 3
        )
        assert measure.figure.value == pytest.approx((1 + 0 + 1 / 3) / 3)

    def test_chance_of_an_association_is_that_of_all_choices(self):
        for candidates, right in ((6, 2), (5, 3), (7, 1)):
            values = [
                len(set(chosen) & set(range(right))) / len(set(chosen) | set(range(right)))
                for chosen in combinations(range(candidates), right)
            ]
            assert chance_jaccard(candidates, right) == pytest.approx(np.mean(values))

    def test_a_set_is_found_from_inside(self, encoder, tmp_path, monkeypatch):
        monkeypatch.chdir(two_classes(tmp_path, "mnist"))
        found, result = measure_one(encoder, Path())
        assert found["top-1"].data == "wds_mnist"
        assert result is not None

    def test_shards_are_one_set(self, encoder, tmp_path):
        folder = two_classes(tmp_path, "stl10")
        write_tar(folder / "test" / "1.tar", [("s1.png", picture("red")), ("s1.cls", b"1\n")])
        (folder / "test" / "nshards.txt").write_text("2")
        found, _ = measure_one(encoder, folder)
        assert found["top-1"].figure.value == pytest.approx(2 / 3)
