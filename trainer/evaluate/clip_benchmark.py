"""Data sets in clip_benchmark's WebDataset form, and what a bundle reaches on them.

    wds_NAME/classnames.txt                               one class a line
    wds_NAME/zeroshot_classification_templates.txt        one template a line, with {c}
    wds_NAME/dataset_type.txt                             "retrieval", or absent
    wds_NAME/test/nshards.txt, test/0.tar, ...            KEY.jpg (webp, png), KEY.cls or KEY.txt

KEY.cls is the number of a class, from 0; KEY.txt holds captions, one a line; KEY.npy, where a task
asks for the worst group, is a vector of integers whose first is the group (FMoW: region; Dollar
Street: income; GeoDE: region). Without dataset_type.txt, a set that has no class names is taken for
retrieval.

WinoGAViL has no such form of its own, so this one is ours: dataset_type.txt says "association",
KEY.json holds {"cue": "...", "associations": [2, 5]}, and KEY.0.jpg, KEY.1.jpg, ... are the
candidates that these numbers count.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from photosearch.encoders import Encoder
from trainer.data.photo_tars import IMAGE_SUFFIXES, PhotoSample
from trainer.data.reinforced import group_members
from trainer.evaluate import association, classification
from trainer.evaluate.captioned import encode_pairs
from trainer.evaluate.datacomp38 import Metric, Ran, Result, Task, find_task, summarise
from trainer.evaluate.figure import Figure
from trainer.evaluate.measures import Measure, retrieval_measures
from trainer.evaluate.retrieval import retrieval
from trainer.evaluate.zero_shot import class_embeddings, classification_measures, predict

Kind = Literal["classification", "retrieval", "association"]
# The kind of data set that gives a task's figure, where it is not classification.
_KINDS: dict[Metric, Kind] = {"mean R@1": "retrieval", "Jaccard": "association"}


@dataclass(frozen=True)
class BenchmarkSet:
    """One data set, found but not read; `task` is the one of the 38 that it is, if any."""

    folder: Path
    kind: Kind
    shards: tuple[Path, ...]
    task: Task | None


def find_sets(folder: Path) -> list[BenchmarkSet]:
    """The data sets in `folder`: itself, or each wds_NAME in it, by name.

    Raises `ValueError` when there are none, one is not whole, or two are of one task.
    """
    folder = folder.absolute()  # "." has no name
    itself = (folder / "test").is_dir()
    found = [folder] if itself else sorted(path for path in folder.glob("wds_*") if path.is_dir())
    if not found:
        raise ValueError(f"{folder}: holds no data sets; they are folders called wds_NAME")
    sets = [_open_set(path) for path in found]
    by_task: dict[str, Path] = {}
    for each in sets:
        if each.task is not None:
            other = by_task.setdefault(each.task.key, each.folder)
            if other != each.folder:
                raise ValueError(f"{other} and {each.folder} are both {each.task.title}; keep one")
    return sets


def measure_sets(
    encoder: Encoder, folder: Path, batch: int = 64, progress: bool = False
) -> tuple[list[Path], list[Measure], Ran]:
    """Every data set in `folder`: where they lie, their figures, and how many of the 38 ran.

    Raises what `find_sets` and `measure_set` do.
    """
    sets = find_sets(folder)
    measures: list[Measure] = []
    results: dict[str, Result] = {}
    for data in sets:
        found, result = measure_set(encoder, data, batch=batch, progress=progress)
        measures += found
        if data.task is not None and result is not None:
            results[data.task.key] = result
    return [data.folder for data in sets], measures, summarise(results)


def measure_set(
    encoder: Encoder, data: BenchmarkSet, *, batch: int = 64, progress: bool = False
) -> tuple[list[Measure], Result | None]:
    """Every figure of one data set, and the one that counts if it is of the 38.

    Raises:
        ValueError: what is missing or wrong in a file, which the message names.
        PhotoTarError: a tar that is damaged, or a picture that cannot be read.
    """
    if data.kind == "association":
        return _association(encoder, data, progress)
    if data.kind == "retrieval":
        return _retrieval(encoder, data, batch, progress)
    return _classification(encoder, data, batch, progress)


def _open_set(folder: Path) -> BenchmarkSet:
    declared = folder / "dataset_type.txt"
    if declared.exists():
        kind = _text(declared).strip().lower()
    else:
        named = (folder / "classnames.txt").exists()
        kind = "classification" if named else "retrieval"
    if kind not in ("classification", "retrieval", "association"):
        raise ValueError(f"{declared}: {kind!r} is no kind that is measured here")
    count_file = folder / "test" / "nshards.txt"
    written = _text(count_file).strip()
    if not written.isdecimal() or int(written) < 1:
        raise ValueError(f"{count_file}: must hold the number of tars, not {written!r}")
    shards = tuple(folder / "test" / f"{number}.tar" for number in range(int(written)))
    for shard in shards:
        if not shard.is_file():
            raise ValueError(f"{shard}: is missing, of the {written} that {count_file.name} counts")
    task = find_task(folder.name)
    if task is not None and kind != (expected := _KINDS.get(task.metric, "classification")):
        raise ValueError(f"{folder}: is {kind}, but {task.title} is {expected}; rename the folder")
    return BenchmarkSet(folder, kind, shards, task)  # type: ignore[arg-type]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{path}: is missing; clip_benchmark's form needs it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in _text(path).splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"{path}: is empty")
    return lines


@dataclass(frozen=True)
class _Sample:
    tar: Path
    key: str
    members: dict[str, bytes]

    def photo(self) -> PhotoSample:
        found = [suffix for suffix in self.members if suffix in IMAGE_SUFFIXES]
        if len(found) != 1:
            raise ValueError(f"{self.tar}: {self.key} has {len(found)} pictures; there must be one")
        return self.picture(found[0])

    def picture(self, suffix: str) -> PhotoSample:
        origin = f"{self.tar}: {self.key}.{suffix}"
        return PhotoSample(self.key, self.members[suffix], {}, origin, suffix.rpartition(".")[2])

    def text(self, suffix: str) -> str:
        try:
            return self.members[suffix].decode("utf-8")
        except KeyError:
            raise ValueError(f"{self.tar}: {self.key}.{suffix} is missing") from None
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.tar}: {self.key}.{suffix}: not text ({error})") from None


def _samples(data: BenchmarkSet) -> Iterator[_Sample]:
    some = False
    for tar in data.shards:
        for key, members in group_members(tar):
            some = True
            yield _Sample(tar, key, members)
    if not some:
        raise ValueError(f"{data.folder}: its tars hold no photos")


def classes_of(data: BenchmarkSet) -> tuple[list[str], list[str]]:
    """The names of the classes, and the templates for them, with {c}.

    Raises `ValueError` naming the file that does not hold them.
    """
    names_file = data.folder / "classnames.txt"
    templates_file = data.folder / "zeroshot_classification_templates.txt"
    names, templates = _lines(names_file), _lines(templates_file)
    if len(names) < 2:
        raise ValueError(f"{names_file}: holds one class; there must be two at least")
    for template in templates:
        if "{c}" not in template:
            raise ValueError(f"{templates_file}: {template!r} has no {{c}} for the class name")
    return names, templates


def labelled_photos(data: BenchmarkSet, classes: int) -> Iterator[tuple[PhotoSample, int]]:
    """Each photo with the number of its class, of so many.

    Raises `ValueError` or `PhotoTarError` at what is not so.
    """
    return ((sample.photo(), label) for sample, label in _labelled(data, classes))


def _labelled(data: BenchmarkSet, classes: int) -> Iterator[tuple[_Sample, int]]:
    for sample in _samples(data):
        label = sample.text("cls").strip()
        if not label.isdecimal() or int(label) >= classes:
            raise ValueError(
                f"{sample.tar}: {sample.key}.cls is {label!r}, which is none of the "
                f"{classes} classes"
            )
        yield sample, int(label)


def _classification(
    encoder: Encoder, data: BenchmarkSet, batch: int, progress: bool
) -> tuple[list[Measure], Result | None]:
    names, templates = classes_of(data)
    metric = data.task.metric if data.task else None
    grouped = metric is not None and metric.startswith("worst-group")
    groups: list[int] = []

    def labelled() -> Iterator[tuple[PhotoSample, int]]:
        for sample, label in _labelled(data, len(names)):
            if grouped:
                groups.append(_group(sample))
            yield sample.photo(), label

    classes = class_embeddings(encoder, names, templates)
    predictions = predict(encoder, labelled(), classes, batch=batch, progress=progress)
    measures = classification_measures(data.folder.name, predictions)
    if metric is None:
        return measures, None
    figures = {measure.figure.name: measure.figure for measure in measures}
    if metric not in figures:
        figure = _special(metric, predictions, np.array(groups, np.int64))
        count = len(predictions.labels)
        measures.append(Measure(data.folder.name, measures[0].task, figure, count, len(names)))
        figures[metric] = figure
    return measures, Result(figures[metric], len(predictions.labels))


def _special(
    metric: Metric, predictions: classification.Predictions, groups: NDArray[np.int64]
) -> Figure:
    if metric == "macro F1":
        return classification.macro_f1(predictions)
    return classification.worst_group(predictions, groups, int(metric.rpartition("-")[2]))


def _group(sample: _Sample) -> int:
    where = f"{sample.tar}: {sample.key}.npy"
    if "npy" not in sample.members:
        raise ValueError(f"{where} is missing; this task's figure is that of the worst group")
    try:
        array = np.load(io.BytesIO(sample.members["npy"]), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{where}: not an array ({error})") from None
    # The bytes of an .npz open as something that is no array.
    if (
        not isinstance(array, np.ndarray)
        or array.ndim != 1
        or not len(array)
        or array.dtype.kind not in "iu"
    ):
        raise ValueError(f"{where}: must be a vector of integers whose first is the group")
    return int(array[0])


def _retrieval(
    encoder: Encoder, data: BenchmarkSet, batch: int, progress: bool
) -> tuple[list[Measure], Result | None]:
    def captioned() -> Iterator[tuple[PhotoSample, list[str]]]:
        for sample in _samples(data):
            captions = [line for line in sample.text("txt").splitlines() if line.strip()]
            if not captions:
                raise ValueError(f"{sample.tar}: {sample.key}.txt holds no caption")
            yield sample.photo(), captions

    embedded = encode_pairs(encoder, captioned(), batch=batch, progress=progress)
    assert embedded is not None  # `_samples` refuses a set without photos
    result = retrieval(embedded.images, embedded.texts, embedded.owners)
    name = data.folder.name
    measures = retrieval_measures(name, result)
    both = [direction.figure("R@1") for direction in (result.text_to_photo, result.photo_to_text)]
    # The two directions err together at most, so the mean of their intervals is wide enough.
    low, high, value, chance = (
        sum(getattr(figure, part) for figure in both) / 2
        for part in ("low", "high", "value", "chance")
    )
    mean = Figure("mean R@1", value, low, high, chance)
    photos = len(embedded.images)
    measures.append(Measure(name, "both directions", mean, photos, photos))
    return measures, Result(mean, photos) if data.task else None


def _association(
    encoder: Encoder, data: BenchmarkSet, progress: bool
) -> tuple[list[Measure], Result | None]:
    scores, chances, total = [], [], 0
    samples = tqdm(_samples(data), unit="cue", desc="associating", disable=not progress)
    for sample in samples:
        total += 1
        instance = _instance(sample)
        count = len(instance.candidates)
        if count >= association.LEAST_CANDIDATES:
            scores.append(association.jaccard(encoder, instance))
            chances.append(association.chance_jaccard(count, len(instance.associations)))
    least = association.LEAST_CANDIDATES
    if not scores:
        raise ValueError(f"{data.folder}: holds no instance of {least} candidates or more")
    figure = association.jaccard_figure(np.array(scores), np.array(chances))
    task = f"cues of {least} photos and more"
    measures = [Measure(data.folder.name, task, figure, len(scores))]
    return measures, Result(figure, total) if data.task else None


def _instance(sample: _Sample) -> association.Instance:
    where = f"{sample.tar}: {sample.key}.json"
    text = sample.text("json")
    try:
        fields: Any = json.loads(text)
        cue, numbers = fields["cue"], frozenset(fields["associations"])
        if not (isinstance(cue, str) and cue.strip() and numbers):
            raise ValueError("no cue, or no associations")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where}: not a cue with its associations ({error!r})") from None
    by_number = {
        suffix.partition(".")[0]: suffix
        for suffix in sample.members
        if suffix.rpartition(".")[2] in IMAGE_SUFFIXES
    }
    order = [str(number) for number in range(len(by_number))]
    if set(by_number) != set(order):
        raise ValueError(f"{sample.tar}: {sample.key}: candidates must be counted from 0")
    if not all(isinstance(number, int) and 0 <= number < len(order) for number in numbers):
        raise ValueError(f"{where}: associations must be numbers of the {len(order)} candidates")
    photos = tuple(sample.picture(by_number[number]) for number in order)
    return association.Instance(cue.strip(), photos, numbers)
