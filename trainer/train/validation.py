"""Held-out photos, while training: found by captions, classed by names, placed as by teachers."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from photosearch.encoders import ImageSettings, Preprocess
from trainer.captioners.labels import labels
from trainer.data.photo_tars import PhotoSample, PhotoTarError, decode
from trainer.data.reinforced import ReinforcedSample
from trainer.evaluate.captioned import batches, captions_of, distinct_photos
from trainer.evaluate.classification import classify
from trainer.evaluate.clip_benchmark import classes_of, find_sets, labelled_photos
from trainer.evaluate.retrieval import retrieval
from trainer.evaluate.zero_shot import open_folder, openai_templates, simple_templates
from trainer.models.config import ImageConfig, ModelConfig, image_facts
from trainer.models.family import Clip
from trainer.models.tokens import tokenizer_of
from trainer.train.pixels import normalised
from trainer.train.shards import Shards

# Photos that go through the network together; of texts four times as many.
_AT_ONCE = {"cpu": 64, "cuda": 256}
_THREADS = 16
Item = TypeVar("Item")


class Validation(Protocol):
    """Photos that a model is measured on."""

    @property
    def summary(self) -> str:
        """What is measured, and what chance would reach."""

    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """Shares in [0, 1] by their names.

        texts_locked: the text tower is the same in all calls, so it reads the texts once.
        """


class Pictures:
    """Squares of `size` pixels that `prepare` makes of `items`, once, kept in a temporary file.

    Of the 50,000 photos of ImageNet's validation at 256 pixels the file takes 10 GB.
    """

    def __init__(
        self,
        items: Iterable[Item],
        prepare: Callable[[Item], NDArray[np.uint8]],
        image: ImageConfig,
        size: int,
    ) -> None:
        shape = (0, size, size, 3)
        with (
            tempfile.TemporaryFile() as file,
            ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads,
        ):
            for group in batches(iter(items), _AT_ONCE["cuda"]):
                for pixels in threads.map(prepare, group):
                    shape = (shape[0] + 1, *pixels.shape)
                    file.write(pixels.tobytes())
            file.flush()
            # Stays as long as it is mapped.
            self._pictures = torch.from_numpy(np.memmap(file, np.uint8, "r+", shape=shape))
        self._image = image

    def embedded(self, model: Clip) -> NDArray[np.float32]:
        """Unit-norm embeddings (n, dim) by the image tower of `model`."""
        device = model.logit_scale.device
        parts = [
            model.encode_image(normalised(part.to(device), self._image), normalize=True)
            for part in self._pictures.split(_AT_ONCE[device.type])
        ]
        return np.asarray(torch.cat(parts).float().cpu().numpy())


class HeldPhotos:
    """Photos, prepared as the model's configuration says at `size` pixels, and the texts that they
    are compared to."""

    def __init__(
        self, samples: Iterable[PhotoSample], texts: Sequence[str], config: ModelConfig, size: int
    ) -> None:
        facts = image_facts(replace(config.image, size=size))
        preprocess = Preprocess(ImageSettings(**facts))
        self._pictures = Pictures(
            samples, lambda one: preprocess.pixels(decode(one)), config.image, size
        )
        self._ids = torch.from_numpy(tokenizer_of(config.text)(texts))
        self._texts: NDArray[np.float32] | None = None

    def images(self, model: Clip) -> NDArray[np.float32]:
        return self._pictures.embedded(model)

    def texts(self, model: Clip, *, locked: bool) -> NDArray[np.float32]:
        if self._texts is None or not locked:
            device = model.logit_scale.device
            parts = self._ids.split(4 * _AT_ONCE[device.type])
            rows = torch.cat([model.encode_text(p.to(device), normalize=True) for p in parts])
            self._texts = np.asarray(rows.float().cpu().numpy())
        return self._texts


class Retrieval:
    """Captioned photos, and all their captions.

    Raises `PhotoTarError` for photos without captions, twice, or none at all.
    """

    def __init__(self, tars: Sequence[Path], config: ModelConfig, size: int) -> None:
        samples = _distinct(tars)
        captions = [captions_of(sample) for sample in samples]
        texts = [text for group in captions for text in group]
        self._owners = np.repeat(np.arange(len(samples)), [len(group) for group in captions])
        self._photos = HeldPhotos(samples, texts, config, size)
        self._counts = len(samples), len(texts)

    @property
    def summary(self) -> str:
        """What is searched, and what chance would find there."""
        photos, captions = self._counts
        return (
            f"{captions:,} captions over a gallery of {photos:,} photos "
            f"(chance R@1 {min(1, 1 / photos):.2%}, R@10 {min(1, 10 / photos):.2%})"
        )

    @torch.inference_mode()
    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """R@1 and R@10, of photos for a caption and of captions for a photo."""
        found = retrieval(
            self._photos.images(model),
            self._photos.texts(model, locked=texts_locked),
            self._owners,
            ks=(1, 10),
            resamples=1,
        )
        return {
            f"{name}_r{k}": direction.figure(f"R@{k}").value
            for name, direction in (
                ("text_to_photo", found.text_to_photo),
                ("photo_to_text", found.photo_to_text),
            )
            for k in (1, 10)
        }


class ZeroShot:
    """Labelled photos, classified among the names of all classes (CLIP, arXiv 2103.00020, 3.1).

    labelled: photos with the number of their class. templates: texts with {c} for a class's name.
    name: what the figures are called by.
    """

    def __init__(
        self,
        labelled: Iterable[tuple[PhotoSample, int]],
        names: Sequence[str],
        templates: Sequence[str],
        config: ModelConfig,
        name: str = "zero_shot",
    ) -> None:
        numbers: list[int] = []

        def photos() -> Iterator[PhotoSample]:
            for sample, number in labelled:
                numbers.append(number)
                yield sample

        self._classes, self._templates = len(names), len(templates)
        texts = [one.replace("{c}", each) for each in names for one in templates]
        self._photos = HeldPhotos(photos(), texts, config, config.image.size)
        self._labels = np.asarray(numbers)
        self.name = name

    @property
    def summary(self) -> str:
        return (
            f"{len(self._labels):,} photos of {self._classes:,} classes "
            f"(chance top-1 {1 / self._classes:.2%})"
        )

    @torch.inference_mode()
    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """Top-1 accuracy, and top-5 where there are more than five classes."""
        texts = self._photos.texts(model, locked=texts_locked)
        rows = texts.reshape(self._classes, self._templates, -1)
        classes = rows.mean(1)
        classes /= np.linalg.norm(classes, axis=1, keepdims=True)
        ranks = classify(self._photos.images(model), classes, self._labels).ranks
        found = (1, 5) if self._classes > 5 else (1,)
        return {f"{self.name}_top{k}": float((ranks <= k).mean()) for k in found}


class Agreement:
    """Held-out reinforced shards: how near their first views lie to what the teachers said of them.

    The teachers are those of the student's width, or of `teachers` those, as for the losses that
    compare images alone. The figure of another size in pixels, or of other views, is another one.

    Raises `ValueError` or `PhotoTarError` naming shards that cannot be read, or have no such
    teacher.
    """

    def __init__(
        self,
        tars: Sequence[Path],
        config: ModelConfig,
        teachers: Sequence[str] = (),
        teacher_dims: Sequence[int] = (),
    ) -> None:
        shards = Shards(tars, teacher_dims)
        known = zip(shards.contents.teachers, shards.contents.slices(), strict=True)
        alike = [
            (one.name, part)
            for one, part in known
            if one.dim == config.dim and (not teachers or one.name in teachers)
        ]
        if not alike:
            raise ValueError(
                f"{tars[0]}: no teacher to agree with: none that is learned from has the student's "
                f"{config.dim} dimensions"
            )
        self._names = [name for name, _ in alike]
        size = config.image.size
        said: list[NDArray[np.float32]] = []

        def samples() -> Iterator[ReinforcedSample]:
            for number in range(len(shards)):
                sample = shards.read(number)
                said.append(sample.image_embeddings[0])
                yield sample

        self._pictures = Pictures(
            samples(), lambda one: np.asarray(one.view(0, size)), config.image, size
        )
        rows = np.stack(said)
        self._theirs = [
            rows[:, part] / np.linalg.norm(rows[:, part], axis=1, keepdims=True)
            for _, part in alike
        ]

    @property
    def summary(self) -> str:
        return f"{len(self._theirs[0]):,} photos beside what {' and '.join(self._names)} said"

    @torch.inference_mode()
    def figures(self, model: Clip, *, texts_locked: bool = False) -> dict[str, float]:
        """The mean cosine."""
        ours = self._pictures.embedded(model)
        return {"image_cosine": float(np.mean([(ours * one).sum(1) for one in self._theirs]))}


def labelled_tars(tars: Sequence[Path], config: ModelConfig) -> ZeroShot:
    """The photos of tars that have a label which says something, among all labels.

    Raises `PhotoTarError` for photos twice, and `ValueError` for fewer than two labels.
    """
    samples = [one for one in _distinct(tars) if labels(one.meta)]
    named = [labels(one.meta)[0] for one in samples]
    names = sorted(set(named))
    if len(names) < 2:
        raise ValueError(f"{' + '.join(map(str, tars))}: has no two labels to tell apart")
    numbers = np.searchsorted(names, named).tolist()
    return ZeroShot(zip(samples, numbers, strict=True), names, simple_templates(), config)


def labelled_folder(
    folder: Path, config: ModelConfig, class_names: Path | None = None
) -> list[ZeroShot]:
    """The data sets in a folder, each with the classes and templates that `evaluate` takes.

    That is one of a folder for each class, or those in clip_benchmark's form.

    Raises `ValueError` or `PhotoTarError` naming what cannot be read.
    """
    folder = folder.absolute()  # "." has no name
    if not (folder / "test" / "nshards.txt").is_file() and not any(folder.glob("wds_*")):
        names, samples = open_folder(folder, class_names)
        return [ZeroShot(samples, names, openai_templates(), config, _figure_name(folder))]
    found = []
    for data in find_sets(folder):
        if data.kind != "classification":
            raise ValueError(f"{data.folder}: is {data.kind}; zero_shot takes classification")
        names, templates = classes_of(data)
        photos = labelled_photos(data, len(names))
        found.append(ZeroShot(photos, names, templates, config, _figure_name(data.folder)))
    return found


def _figure_name(folder: Path) -> str:
    """A folder's name as it stands in front of a figure: wds_imagenet1k is imagenet1k."""
    return re.sub(r"\W+", "_", folder.name.lower().removeprefix("wds_"))


def open_validation(
    config: ModelConfig,
    *,
    captioned: Sequence[Path] = (),
    labelled: Sequence[Path] = (),
    class_names: str | None = None,
    reinforced: Sequence[Path] = (),
    teachers: Sequence[str] = (),
    teacher_dims: Sequence[int] = (),
) -> list[Validation]:
    """What there is to measure on, at the size of `config`; none when all are empty."""
    size = config.image.size
    found: list[Validation] = []
    if captioned:
        found.append(Retrieval(captioned, config, size))
    if tars := [path for path in labelled if not path.is_dir()]:
        found.append(labelled_tars(tars, config))
    for folder in labelled:
        if folder.is_dir():
            found += labelled_folder(folder, config, Path(class_names) if class_names else None)
    names = Counter(one.name for one in found if isinstance(one, ZeroShot))
    for name, count in names.items():
        if count > 1:
            raise ValueError(
                f"{count} labelled sets are called {name}, and their figures would be too; rename "
                "the folder of one"
            )
    if reinforced:
        found.append(Agreement(reinforced, config, teachers, teacher_dims))
    return found


def _distinct(tars: Sequence[Path]) -> list[PhotoSample]:
    samples = list(distinct_photos(tars))
    if not samples:
        raise PhotoTarError(f"{' + '.join(map(str, tars))}: holds no photos")
    return samples
