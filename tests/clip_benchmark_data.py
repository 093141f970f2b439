"""Small data sets in clip_benchmark's form, written by the tests."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result
from colour_bundle import BenchmarkSet, picture

from trainer.cli import main
from trainer.evaluate.clip_benchmark import find_sets, measure_set


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def two_classes(parent: Path, name: str, labels=(0, 1), **others) -> Path:
    """A red and a blue picture with their classes, and whatever else `others` give each."""
    data = BenchmarkSet(parent, name)
    data.classes("red", "blue")
    for number, colour in enumerate(("red", "blue")):
        data.add(
            colour, cls=labels[number], **{key: value[number] for key, value in others.items()}
        )
    return data.write()


def captioned(parent: Path, name: str, captions=("a red wall\nit is red\n", "blue")) -> Path:
    data = BenchmarkSet(parent, name)
    data.folder.mkdir(parents=True)
    for colour, text in zip(("red", "blue"), captions, strict=True):
        data.add(colour, txt=text)
    return data.write("retrieval")


def associations(parent: Path, name: str, *instances: tuple[str, list[str], list[int]]) -> Path:
    data = BenchmarkSet(parent, name)
    data.folder.mkdir(parents=True)
    for number, (cue, colours, chosen) in enumerate(instances):
        about = json.dumps({"cue": cue, "associations": chosen}).encode()
        data.members.append((f"{number:04d}.json", about))
        for place, colour in enumerate(colours):
            data.members.append((f"{number:04d}.{place}.png", picture(colour)))
    return data.write("association")


TEN = ["red", "blue", "red", *["green"] * 7]


def write_task(parent: Path, task, labels=(0, 1)) -> Path:
    name = task.folders[0]
    if task.metric == "mean R@1":
        return captioned(parent, name)
    if task.metric == "Jaccard":
        return associations(parent, name, ("Red", TEN, [0, 2]))
    if task.metric.startswith("worst-group"):
        return two_classes(parent, name, labels, npy=([3, 0], [4, 0]))
    return two_classes(parent, name, labels)


def measure_one(encoder, folder: Path):
    (data,) = find_sets(folder)
    measures, result = measure_set(encoder, data)
    return {measure.figure.name: measure for measure in measures}, result
