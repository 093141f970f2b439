"""Teaching the head of a tower whose classifiers stay as they are.

Several heads learn from captioned photos; one head then learns to give what their mean gives, on
all photos there are, captioned or not. It is as good as the mean, and a fraction of its size.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tqdm import tqdm

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.encoders.onnx import import_onnxruntime
from trainer.data.photo_tars import PhotoSample, decode, read_photos
from trainer.data.views import draw_view
from trainer.export.int8_image import calibration_batches, write_int8_convolutions
from trainer.export.onnx_file import write_onnx
from trainer.models.concept_image import ConceptImageTower, Sight
from trainer.models.config import ImageConfig
from trainer.models.folding import fold_batch_norms
from trainer.teachers.conse import conse
from trainer.teachers.head import Head, HeadRecipe, train_head

_BATCH = 16


@dataclass(frozen=True)
class Seen:
    """What classifiers see of one view of each of n photos.

    features: float16 (n, F); probabilities: float16 (n, C); captions: n lists, some of them empty.
    """

    features: NDArray[np.float16]
    probabilities: NDArray[np.float16]
    captions: list[list[str]]


class Watcher:
    """Looks at photos with a tower's classifiers, in 8 bits as an exported bundle does.

    What was seen is kept under `cache`, by the network that saw it: a view is looked at once.

    tower: in eval mode; image: its configuration; calibration: tars of the photos on which the
    ranges of the activations are seen.
    """

    def __init__(
        self,
        tower: ConceptImageTower,
        image: ImageConfig,
        calibration: Sequence[Path],
        cache: Path,
    ) -> None:
        self._prepare = Preprocess(
            ImageSettings(
                image.size, image.resize, image.crop, image.interpolation, image.mean, image.std
            )
        )
        self._split = tower.feature_dim
        sight = fold_batch_norms(Sight(tower))
        example = torch.zeros(2, 3, image.size, image.size)
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            plain, small = Path(folder) / "plain.onnx", Path(folder) / "small.onnx"
            write_onnx(sight, example, plain, input_name="image")
            batches = calibration_batches(calibration, self._prepare)
            write_int8_convolutions(plain, small, batches)
            content = small.read_bytes()
        self._cache = cache / hashlib.sha256(content).hexdigest()[:16]
        self._cache.mkdir(exist_ok=True)
        ort = import_onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # each batch has a core of its own
        self._network = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def see(self, tars: Sequence[Path], view: int) -> Seen:
        """View number `view` of each photo of `tars`.

        Raises `PhotoTarError` when a tar cannot be read, `ValueError` when one holds no photos.
        """
        rows, captions = [], []
        for tar in tars:
            mine = [list(sample.meta.get("captions", [])) for sample in read_photos(tar)]
            if not mine:
                raise ValueError(f"{tar}: holds no photos")
            captions += mine
            rows.append(self._rows(tar, view, len(mine)))
        all_rows = np.concatenate(rows)
        return Seen(all_rows[:, : self._split], all_rows[:, self._split :], captions)

    def _rows(self, tar: Path, view: int, count: int) -> NDArray[np.float16]:
        path = self._cache / f"{tar.stem}.{tar.stat().st_size}.{view}.npy"
        if path.is_file() and len(rows := np.load(path)) == count:
            return rows
        samples = read_photos(tar)
        batches = iter(lambda: list(islice(samples, _BATCH)), [])
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            tqdm(total=count, desc=f"{tar.stem}, view {view}", unit="photo", disable=None) as bar,
        ):
            parts = []
            for part in pool.map(lambda batch: self._look(batch, view), batches):
                parts.append(part)
                bar.update(len(part))
        rows = np.concatenate(parts)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with beside.open("wb") as file:
            np.save(file, rows)
        beside.replace(path)
        return rows

    def _look(self, batch: Sequence[PhotoSample], view: int) -> NDArray[np.float16]:
        side = self._prepare.settings.size
        shown = [draw_view(one.key, view).replay(decode(one), side) for one in batch]
        images = self._prepare.normalise(np.stack([np.asarray(one) for one in shown]))
        (seen,) = self._network.run(["embedding"], {"image": images})
        rows: NDArray[np.float16] = seen.astype(np.float16)
        return rows


def teach_heads(
    views: Sequence[Seen],
    captions: list[np.ndarray],
    concepts: np.ndarray,
    *,
    seeds: int,
    recipe: HeadRecipe | None = None,
) -> list[Head]:
    """`seeds` heads, taught on `views` of the same captioned photos.

    captions: one (captions of the photo, d) a photo; concepts: (C, d).
    """
    features = [view.features.astype(np.float32) for view in views]
    priors = [conse(view.probabilities, concepts) for view in views]
    return [
        train_head(features, priors, captions, seed=seed, recipe=recipe) for seed in range(seeds)
    ]


def merge_heads(
    heads: Sequence[Head],
    views: Sequence[Seen],
    concepts: np.ndarray,
    *,
    hidden: int,
    epochs: int = 20,
    batch: int = 512,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> Head:
    """One head that gives what the mean of `heads` gives: 1 - cosine on all `views`.

    A view may hold any photos. The head starts with the statistics of the first of `heads`.
    """
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    features = torch.from_numpy(np.concatenate([view.features for view in views]))
    priors = torch.from_numpy(
        np.concatenate([conse(view.probabilities, concepts) for view in views])
    ).half()
    with torch.inference_mode():
        targets = torch.cat(
            [
                F.normalize(
                    torch.stack([head(f.float(), p.float()) for head in heads]).mean(0), dim=1
                )
                for f, p in zip(features.split(1024), priors.split(1024), strict=True)
            ]
        )
    head = Head(features.shape[1], concepts.shape[1], hidden, dropout=0.1)
    head.mean.copy_(heads[0].mean)
    head.std.copy_(heads[0].std)
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate, weight_decay=0.05)
    steps = max(1, len(features) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, total_steps=epochs * steps, pct_start=0.05
    )
    head.train()
    for _ in tqdm(range(epochs), desc="one head", unit="epoch", disable=None):
        order = torch.randperm(len(features), generator=random)
        for rows in order[: steps * batch].split(batch) if len(order) >= batch else (order,):
            placed = head(features[rows].float(), priors[rows].float())
            loss = 1 - (placed * targets[rows]).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return head.eval()
