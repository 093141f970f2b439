"""Classifier outputs for every view of every photo, computed once and cached on disk."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from tqdm import tqdm

from trainer.data.photo_tars import PhotoSample, decode, read_photos
from trainer.data.views import draw_view
from trainer.teachers.classifier import TfliteClassifier

_CHUNK = 32
_classifiers: list[TfliteClassifier] = []


@dataclass(frozen=True)
class ViewFeatures:
    """What the classifiers say of one view of each photo of a tar.

    keys: n names; features: float16 (n, F), the pooled features of all classifiers side by side;
    probabilities: float16 (n, C), the mean over the classifiers; captions: n lists, empty where a
    photo has none; classifiers: their sha256 in hex, in order, or nothing in files of older
    versions.
    """

    keys: list[str]
    features: np.ndarray
    probabilities: np.ndarray
    captions: list[list[str]]
    classifiers: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: Path) -> ViewFeatures:
        """Raises `ValueError` naming a file that is missing or holds something else."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return cls(
                    keys=stored["keys"].tolist(),
                    features=stored["features"],
                    probabilities=stored["probabilities"],
                    captions=json.loads(str(stored["captions"])),
                    classifiers=tuple(stored["classifiers"]) if "classifiers" in stored else (),
                )
        except FileNotFoundError:
            raise ValueError(f"{path}: no such file; make it with `teach`") from None
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            raise ValueError(f"{path}: not a file of features ({error})") from None

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}.npz")
        np.savez(
            beside,
            keys=np.asarray(self.keys),
            features=self.features,
            probabilities=self.probabilities,
            captions=np.asarray(json.dumps(self.captions)),
            classifiers=np.asarray(self.classifiers, dtype=np.str_),
        )
        beside.replace(path)


def cache_path(folder: Path, tar: Path, view: int, *, degrade: bool = False) -> Path:
    """Where the features of view number `view` of `tar` lie under `folder`."""
    return folder / f"{tar.stem}.{'low' if degrade else 'view'}{view}.npz"


def _load_classifiers(paths: Sequence[Path]) -> None:
    _classifiers[:] = [TfliteClassifier(path) for path in paths]


def _classify(job: tuple[list[PhotoSample], int, bool]) -> tuple[np.ndarray, ...]:
    samples, index, degrade = job
    views = [draw_view(sample.key, index, degrade=degrade) for sample in samples]
    photos = [decode(sample) for sample in samples]
    features, probabilities = [], []
    for classifier in _classifiers:
        pictures = [
            np.asarray(view.replay(photo, classifier.size))
            for photo, view in zip(photos, views, strict=True)
        ]
        pooled, chances = classifier(np.stack(pictures))
        features.append(pooled)
        probabilities.append(chances)
    return (
        np.concatenate(features, axis=1).astype(np.float16),
        np.mean(probabilities, axis=0).astype(np.float16),
    )


def _jobs(tar: Path, view: int, degrade: bool) -> Iterator[tuple[list[PhotoSample], int, bool]]:
    chunk: list[PhotoSample] = []
    for sample in read_photos(tar):
        chunk.append(sample)
        if len(chunk) == _CHUNK:
            yield chunk, view, degrade
            chunk = []
    if chunk:
        yield chunk, view, degrade


def compute_features(
    tar: Path,
    classifiers: Sequence[Path],
    folder: Path,
    *,
    view: int = 0,
    degrade: bool = False,
    workers: int | None = None,
) -> ViewFeatures:
    """Features of view number `view` of each photo of `tar`; read from `folder` when cached.

    Raises:
        PhotoTarError: the tar or one of its photos cannot be read.
        ValueError: the tar holds no photos, a classifier cannot be used, or what is cached comes
            from other classifiers.
    """
    from trainer.teachers.bootstrap import digest  # torch comes with it; the workers do without

    path = cache_path(folder, tar, view, degrade=degrade)
    makers = tuple(digest(classifier) for classifier in classifiers)
    if path.is_file():
        cached = ViewFeatures.load(path)
        if cached.classifiers not in ((), makers):
            raise ValueError(f"{path}: comes from other classifiers; give another --cache folder")
        return cached
    samples = [(sample.key, sample.meta.get("captions", [])) for sample in read_photos(tar)]
    if not samples:
        raise ValueError(f"{tar}: holds no photos")
    for classifier in classifiers:
        TfliteClassifier(classifier)  # a pool replaces workers that fail as they start, for ever
    context = multiprocessing.get_context("spawn")
    workers = workers or os.cpu_count() or 1
    with (
        context.Pool(workers, _load_classifiers, (list(classifiers),)) as pool,
        tqdm(total=len(samples), desc=path.stem, unit="photo", smoothing=0.05) as bar,
    ):
        parts = []
        for part in pool.imap(_classify, _jobs(tar, view, degrade)):
            parts.append(part)
            bar.update(len(part[0]))
    features, probabilities = (np.concatenate(column) for column in zip(*parts, strict=True))
    result = ViewFeatures(
        [key for key, _ in samples],
        features,
        probabilities,
        [captions for _, captions in samples],
        makers,
    )
    result.save(path)
    return result


def join(parts: Sequence[ViewFeatures]) -> ViewFeatures:
    """The features of several tars as of one."""
    return ViewFeatures(
        [key for part in parts for key in part.keys],
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        [captions for part in parts for captions in part.captions],
        parts[0].classifiers,
    )
