"""Zero-shot classification: a photo's class is the one whose name, in words, it is nearest to.

CLIP (arXiv 2103.00020), section 3.1: a class is the mean of the text embeddings of its name in
several templates ("a photo of a {c}."), each of unit norm, brought back to unit norm.

    measures = measure_folder(encoder, Path("caltech101"))      # caltech101/CLASS/*.jpg
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from photosearch.encoders import Encoder
from trainer.data.photo_tars import PhotoSample, decode
from trainer.evaluate.captioned import batches
from trainer.evaluate.classification import (
    Predictions,
    classify,
    mean_per_class_recall,
    top_k,
)
from trainer.evaluate.measures import Measure


def openai_templates() -> list[str]:
    """OpenAI's 80 templates for ImageNet, each with {c} in the place of the class name."""
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

    return [template("{c}") for template in OPENAI_IMAGENET_TEMPLATES]


def simple_templates() -> list[str]:
    """The seven that OpenAI's notebook on prompts ends with: nearly as good, and quicker."""
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from open_clip.zero_shot_metadata import SIMPLE_IMAGENET_TEMPLATES

    return [template("{c}") for template in SIMPLE_IMAGENET_TEMPLATES]


def class_embeddings(
    encoder: Encoder, names: Sequence[str], templates: Sequence[str]
) -> NDArray[np.float32]:
    """Unit-norm embeddings (C, dim) of the classes called `names`; templates hold {c}."""
    rows = []
    for name in names:
        mean = encoder.encode_texts([each.replace("{c}", name) for each in templates]).mean(0)
        rows.append(mean / np.linalg.norm(mean))
    return np.stack(rows)


def predict(
    encoder: Encoder,
    samples: Iterator[tuple[PhotoSample, int]],
    classes: NDArray[np.float32],
    *,
    batch: int = 64,
    progress: bool = False,
) -> Predictions:
    """Classify photos with their right class, `batch` of them decoded at a time.

    Raises `PhotoTarError` naming a picture that cannot be read.
    """
    images: list[NDArray[np.float32]] = []
    labels: list[int] = []
    with tqdm(unit="photo", desc="classifying", disable=not progress) as bar:
        for group in batches(samples, batch):
            images.append(encoder.encode_images([decode(sample) for sample, _ in group]))
            labels += [label for _, label in group]
            bar.update(len(group))
    return classify(np.concatenate(images), classes, np.array(labels))


def classification_measures(data: str, predictions: Predictions) -> list[Measure]:
    """Top-1, top-5 where there are more than five classes, and mean per-class recall."""
    figures = [top_k(predictions, 1), mean_per_class_recall(predictions)]
    if predictions.classes > 5:
        figures.insert(1, top_k(predictions, 5))
    task = f"zero-shot, {predictions.classes:,} classes"
    count = len(predictions.labels)
    return [Measure(data, task, figure, count, predictions.classes) for figure in figures]


def measure_folder(
    encoder: Encoder,
    folder: Path,
    class_names: Path | None = None,
    batch: int = 64,
    progress: bool = False,
) -> list[Measure]:
    """Zero-shot figures on `folder`/CLASS/*.jpg, as torchvision's ImageFolder reads it.

    A class is called as its folder, with spaces for underscores, or as `class_names` says: a JSON
    object from folder to name.

    Raises:
        ValueError: a folder without classes, a class without pictures, or names that do not fit.
        PhotoTarError: a picture that cannot be read; the message names it.
    """
    folder = folder.absolute()  # "." has no name
    names, samples = open_folder(folder, class_names)
    classes = class_embeddings(encoder, names, openai_templates())
    predictions = predict(encoder, samples, classes, batch=batch, progress=progress)
    return classification_measures(folder.name, predictions)


def open_folder(
    folder: Path, class_names: Path | None = None
) -> tuple[list[str], Iterator[tuple[PhotoSample, int]]]:
    """The names of the classes in `folder`, and each photo with the number of its class.

    As `measure_folder` takes them. Raises `ValueError`.
    """
    folders, files = _image_folder(folder)
    names = _read_names(class_names, folders) if class_names else _spoken(folders)
    samples = (
        (PhotoSample(path.stem, path.read_bytes(), {}, str(path), path.suffix[1:].lower()), label)
        for path, label in files
    )
    return names, samples


def _image_folder(folder: Path) -> tuple[list[str], list[tuple[Path, int]]]:
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from torchvision.datasets import ImageFolder

    try:
        found = ImageFolder(str(folder))
    except FileNotFoundError as error:
        raise ValueError(f"{folder}: {error} Zero-shot needs {folder.name}/CLASS/*.jpg") from None
    if len(found.classes) < 2:
        raise ValueError(
            f"{folder}: holds one class, {found.classes[0]!r}; one folder a class, two at least"
        )
    return found.classes, [(Path(path), label) for path, label in found.samples]


def _spoken(folders: Sequence[str]) -> list[str]:
    return [name.replace("_", " ") for name in folders]


def _read_names(file: Path, folders: Sequence[str]) -> list[str]:
    try:
        names = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file}: not JSON ({error})") from None
    if not isinstance(names, dict) or not all(
        isinstance(name, str) and name.strip() for name in names.values()
    ):
        raise ValueError(f"{file}: must be a JSON object from folder to class name")
    if missing := sorted(set(folders) - set(names)):
        raise ValueError(f"{file}: names no class for the folder {missing[0]!r}")
    if spare := sorted(set(names) - set(folders)):
        raise ValueError(f"{file}: names a class for {spare[0]!r}, which is no folder")
    return [names[each] for each in folders]
