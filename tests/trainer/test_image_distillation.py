"""The image tower taught on stored views: the same view as the teacher's, and that it learns."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tars import sample, write_tar
from torch import Tensor, nn

from trainer.data.photo_tars import PhotoTarError, decode, read_photos
from trainer.data.views import View, draw_view
from trainer.models.nano_image import NanoImageTower
from trainer.teachers.sentence import SentenceEncoder
from trainer.train.image import HeldOut, ImageDistillation, ReinforcedPhotos, to_tensor
from trainer.train.loop import Run
from trainer.train.settings import OptimizerSettings, RunSettings, ScheduleSettings, Settings
from trainer.train.task import Share

pytestmark = pytest.mark.slow

DIM, SIZE, VIEWS = 24, 32, 2


def photo_tar(path: Path, photos: dict[str, bytes], captions: dict[str, list[str]]) -> Path:
    members: list[tuple[str, bytes]] = []
    for key, data in photos.items():
        members += sample(key, data, {"captions": captions[key]} if key in captions else None)
    return write_tar(path, members)


def png(picture: Image.Image, **options: Any) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG", **options)
    return data.getvalue()


def teach(photo: Image.Image) -> np.ndarray:
    """A teacher (24,): mixes the mean colours of a coarse 4 x 4 grid."""
    mixture = np.random.default_rng(9).normal(size=(48, DIM))
    grid = np.asarray(photo.resize((4, 4), Image.Resampling.BOX), np.float64).reshape(-1)
    row = (grid / 127.5 - 1) @ mixture
    return np.asarray(row / np.linalg.norm(row))


def embed(tar: Path, views: Sequence[int] = range(VIEWS)) -> list[Path]:
    """A file of the teacher's embeddings for each view of the photos of `tar`."""
    samples, files = list(read_photos(tar)), []
    for number in views:
        drawn = [draw_view(sample.key, number) for sample in samples]
        rows = [teach(v.replay(decode(s), 64)) for v, s in zip(drawn, samples, strict=True)]
        files.append(tar.with_suffix(f".view{number}.npz"))
        np.savez(
            files[-1],
            keys=np.asarray([sample.key for sample in samples]),
            views=np.stack([view.as_row() for view in drawn]),
            embeddings=np.asarray(rows, np.float16),
        )
    return files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """Two tars of pieces of real pictures, 24 and 8, and one of 12 others to measure on."""
    folder = tmp_path_factory.mktemp("photos")
    pieces = []
    for file in sorted(pictures.iterdir()):
        picture = Image.open(file).convert("RGB").resize((320, 240))
        for left in range(0, 320, 80):
            pieces += [picture.crop((left, top, left + 80, top + 80)) for top in (0, 160)]
    order = np.random.default_rng(0).permutation(len(pieces))
    photos = {f"piece{number:02}": png(pieces[number]) for number in order}
    keys = list(photos)
    for name, part in (("a", keys[:24]), ("b", keys[24:32]), ("val", keys[32:44])):
        captions = {key: [f"the piece called {key}", f"{key} again"] for key in part}
        photo_tar(folder / f"{name}.tar", {key: photos[key] for key in part}, captions)
        embed(folder / f"{name}.tar")
    return folder


def load_photos(folder: Path) -> ReinforcedPhotos:
    """Those of the first tar in two views, those of the second in one."""
    stored = {
        folder / f"{name}.tar": [folder / f"{name}.view{view}.npz" for view in range(count)]
        for name, count in (("a", 2), ("b", 1))
    }
    return ReinforcedPhotos.load(stored)


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def held_out(folder: Path) -> HeldOut:
    """Photos whose captions lie beside what the teacher makes of them."""
    samples = list(read_photos(folder / "val.tar"))
    pictures = [np.asarray(decode(sample).resize((SIZE, SIZE))) for sample in samples]
    targets = unit(np.stack([teach(decode(sample)) for sample in samples]))
    noise = np.random.default_rng(3).normal(size=(2 * len(samples), DIM)) * 0.02
    owner = np.arange(len(samples)).repeat(2)
    return HeldOut(np.stack(pictures), targets, unit(targets[owner] + noise), owner)


class Small(nn.Module):
    """Patches, a coarse grid and a projection: enough for the teacher above."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 12, 4, stride=4), nn.GELU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(),
            nn.Linear(12 * 16, DIM),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        embeddings: Tensor = self.layers(images)
        return embeddings


def make_task(folder: Path, tower: nn.Module | None = None, **changes: Any) -> ImageDistillation:
    bank = unit(np.random.default_rng(5).normal(size=(200, DIM))).astype(np.float16)
    options = {"image_size": SIZE, "batch_size": 16, "bank_rows": 64} | changes
    return ImageDistillation(
        tower or Small(), load_photos(folder), bank, held_out(folder), **options
    )


def digest(task: ImageDistillation, step: int) -> str:
    batch = task.batch(step, Share())
    tensors = [batch.inputs, *batch.targets]
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()


class TestPhotos:
    def test_each_has_its_own_views(self, folder: Path) -> None:
        photos = load_photos(folder)
        assert [len(rows) for rows in photos.rows] == [2] * 24 + [1] * 8
        assert sorted(row for rows in photos.rows for row in rows) == list(range(24 * 2 + 8))
        samples = list(read_photos(folder / "a.tar", folder / "b.tar"))
        for stored, rows in zip(samples, photos.rows, strict=True):
            for number, row in enumerate(rows):
                view = View.from_row(photos.views[row])
                assert view.as_row() == pytest.approx(draw_view(stored.key, number).as_row())
                expected = teach(view.replay(decode(stored), 64))
                np.testing.assert_allclose(photos.targets[row], expected, atol=2e-3)

    def test_of_another_tar_are_refused(self, folder: Path) -> None:
        with pytest.raises(ValueError, match=r"b\.view0\.npz: holds other photos than .*a\.tar"):
            ReinforcedPhotos.load({folder / "a.tar": [folder / "b.view0.npz"]})

    def test_in_another_order_are_refused(self, folder: Path, tmp_path: Path) -> None:
        photos = {sample.key: sample.image_bytes for sample in read_photos(folder / "b.tar")}
        turned = photo_tar(tmp_path / "b.tar", dict(reversed(photos.items())), {})
        with pytest.raises(ValueError, match="holds other photos"):
            ReinforcedPhotos.load({turned: [folder / "b.view0.npz"]})

    def test_without_embeddings(self, folder: Path) -> None:
        with pytest.raises(ValueError, match=r"a\.view9\.npz: no such file; run `embed`"):
            ReinforcedPhotos.load({folder / "a.tar": [folder / "a.view9.npz"]})


class TestBatch:
    def test_depends_on_the_step_alone(self, folder: Path) -> None:
        steps = [0, 1, 2, 3, 7]
        task, again = make_task(folder), make_task(folder)
        here = [digest(task, step) for step in steps]
        assert len(set(here)) == len(steps)
        assert [digest(again, step) for step in reversed(steps)] == here[::-1]
        assert digest(make_task(folder, seed=1), 0) != here[0]
        script = (
            "import sys, pathlib\n"
            "import test_image_distillation as t\n"
            "task = t.make_task(pathlib.Path(sys.argv[1]))\n"
            f"print(*[t.digest(task, step) for step in {steps}])\n"
        )
        elsewhere = subprocess.run(
            [sys.executable, "-c", script, str(folder)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        assert elsewhere.stdout.split() == here

    def test_holds_views_near_the_stored_ones_and_their_targets(self, folder: Path) -> None:
        task, photos = make_task(folder), load_photos(folder)
        seen, banks = [], []
        for step in range(2):
            batch = task.batch(step, Share())
            pictures, (targets, texts) = batch.inputs, batch.targets
            assert (pictures.shape, pictures.dtype) == ((16, SIZE, SIZE, 3), torch.uint8)
            assert (targets.shape, texts.shape) == ((16, DIM), (64, DIM))
            banks.append(texts)
            for picture, target in zip(pictures, targets, strict=True):
                found = (photos.targets.astype(np.float32) == target.numpy()).all(1)
                (row,) = np.flatnonzero(found)
                (owner,) = [n for n, rows in enumerate(photos.rows) if row in rows]
                seen.append(owner)
                photo = decode(photos.photos[owner])
                exact = np.asarray(View.from_row(photos.views[row]).replay(photo, SIZE), float)
                # Mirrored or not, cut by a tenth at most and a little brighter or paler.
                likeness = max(
                    np.corrcoef(picture.numpy().reshape(-1), form.reshape(-1))[0, 1]
                    for form in (exact, exact[:, ::-1])
                )
                assert likeness > 0.6
        assert sorted(seen) == list(range(32))  # an epoch
        assert not torch.equal(*banks)

    @pytest.mark.parametrize("stored", ["turned", "transparent"])
    def test_shows_a_photo_as_the_teacher_saw_it(self, tmp_path: Path, stored: str) -> None:
        """Upright by its EXIF orientation, and transparency laid on white."""
        random = np.random.default_rng(0)
        plain = Image.fromarray(random.integers(0, 256, (60, 40, 3), dtype=np.uint8))
        exif = Image.Exif()
        if stored == "turned":
            exif[0x0112] = 6  # to be turned by a quarter clockwise to stand upright
            other = png(plain.transpose(Image.Transpose.ROTATE_90), exif=exif)
        else:
            mask = Image.new("L", plain.size, 255)
            mask.paste(0, (0, 0, 40, 30))
            clear = plain.copy()
            clear.putalpha(mask)
            plain.paste("white", (0, 0, 40, 30))
            other = png(clear)
        batches = []
        for name, data in (("plain", png(plain)), (stored, other)):
            tar = photo_tar(tmp_path / f"{name}.tar", {"one": data, "two": data}, {})
            photos = ReinforcedPhotos.load({tar: embed(tar)})
            bank = np.eye(DIM, dtype=np.float16)
            held: Any = None  # nothing is measured here
            task = ImageDistillation(Small(), photos, bank, held, image_size=SIZE, batch_size=2)
            batches.append(task.batch(0, Share()))
        assert torch.equal(batches[0].inputs, batches[1].inputs)
        assert torch.equal(batches[0].targets[0], batches[1].targets[0])

    def test_names_a_broken_photo(self, folder: Path) -> None:
        photos = load_photos(folder)
        photos.photos[:] = [
            replace(photo, image_bytes=photo.image_bytes[:200]) for photo in photos.photos
        ]
        held: Any = None
        task = ImageDistillation(Small(), photos, np.eye(DIM), held, image_size=SIZE, batch_size=2)
        with pytest.raises(PhotoTarError, match=r"\.tar: piece..\.png: not a readable picture"):
            task.batch(0, Share())


class TestLoss:
    def test_is_pull_and_relation(self, folder: Path) -> None:
        task = make_task(folder)
        random = np.random.default_rng(0)
        ours, goals, texts = (unit(random.normal(size=(n, DIM))) for n in (5, 5, 40))
        found = task.losses(
            [(torch.from_numpy(ours),)], [(torch.from_numpy(goals), torch.from_numpy(texts))]
        )
        pull = 1 - (ours * goals).sum(1).mean()
        q, p = (np.exp(30.0 * rows @ texts.T) for rows in (ours, goals))
        q, p = q / q.sum(1, keepdims=True), p / p.sum(1, keepdims=True)
        relation = (p * np.log(p / q)).sum(1).mean()
        assert float(found["loss"]) == pytest.approx(2 * pull + 0.5 * relation, rel=1e-4)

    def test_is_nothing_for_the_teacher_itself(self, folder: Path) -> None:
        task = make_task(folder)
        targets = task.batch(0, Share()).targets
        goals = nn.functional.normalize(targets[0], dim=1)
        found = task.losses([(goals,)], [(goals, targets[1])])
        assert float(found["loss"]) == pytest.approx(0, abs=1e-5)


def train(task: ImageDistillation, folder: Path, steps: int) -> dict[str, float]:
    settings = Settings(
        run=RunSettings(
            steps=steps, batch=16, precision="float32", ema=0.9, workers=0, evaluate_steps=steps
        ),
        optimizer=OptimizerSettings(learning_rate=5e-3, weight_decay=0.01),
        schedule=ScheduleSettings(warmup=steps // 10),
    )
    return Run(task, settings, folder).train()


def test_learns_to_see_as_the_teacher_does(folder: Path, tmp_path: Path) -> None:
    task = make_task(folder)

    def loss() -> float:
        batch = task.batch(10_000, Share())
        with torch.no_grad():
            return float(
                task.losses([task.embed(task.model, batch.inputs)], [batch.targets])["loss"]
            )

    first, before = loss(), task.evaluate(task.model.eval())
    figures = train(task, tmp_path, 120)
    assert loss() < 0.5 * first
    assert before["cosine"] < 0.3
    assert figures["cosine"] > 0.8
    assert figures["r1"] > before["r1"] + 0.3


@pytest.mark.parametrize("freeze", [True, False])
def test_a_run_changes_statistics_unless_they_are_frozen(
    folder: Path, tmp_path: Path, freeze: bool
) -> None:
    torch.manual_seed(0)
    tower = NanoImageTower(dim=DIM, hidden=8)
    tower.freeze_norms = freeze
    before = {name: value.clone() for name, value in tower.state_dict().items()}
    train(make_task(folder, tower), tmp_path, 2)
    after = tower.state_dict()
    kept = [name for name in before if name.endswith(("running_mean", "running_var"))]
    assert len(kept) == 2 * 52
    assert {torch.equal(before[name], after[name]) for name in kept} == {freeze}
    learned = [name for name, _ in tower.named_parameters()]
    assert not any(torch.equal(before[name], after[name]) for name in learned if "weight" in name)


class TestHeldOut:
    @pytest.fixture(scope="class")
    def encoder(self) -> SentenceEncoder:
        return SentenceEncoder()

    def test_loads_whole_photos_targets_and_captions(
        self, folder: Path, encoder: SentenceEncoder
    ) -> None:
        tar = folder / "val.tar"
        found = HeldOut.load(tar, folder / "val.view0.npz", encoder, SIZE)
        samples = list(read_photos(tar))
        assert found.pictures.shape == (12, SIZE, SIZE, 3)
        expected = decode(samples[3]).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        assert np.array_equal(found.pictures[3], np.asarray(expected))
        assert found.owner.tolist() == [number for number in range(12) for _ in range(2)]
        captions = [text for sample in samples for text in sample.meta["captions"]]
        assert (found.captions * encoder(captions)).sum(1).min() > 0.999
        assert found.targets.dtype == np.float32
        np.testing.assert_allclose(found.targets[3], teach(decode(samples[3])), atol=0.02)

    def test_a_photo_may_lack_captions_but_not_all(
        self, folder: Path, encoder: SentenceEncoder, tmp_path: Path
    ) -> None:
        photos = {sample.key: sample.image_bytes for sample in read_photos(folder / "b.tar")}
        one = next(iter(photos))
        tar = photo_tar(tmp_path / "some.tar", photos, {one: ["the only caption"]})
        found = HeldOut.load(tar, folder / "b.view0.npz", encoder, SIZE)
        assert (len(found.pictures), found.owner.tolist()) == (8, [0])
        tar = photo_tar(tmp_path / "none.tar", photos, {})
        with pytest.raises(ValueError, match=r"none\.tar: has no captions"):
            HeldOut.load(tar, folder / "b.view0.npz", encoder, SIZE)

    def test_embeddings_that_are_missing_or_of_other_photos(
        self, folder: Path, encoder: SentenceEncoder
    ) -> None:
        with pytest.raises(ValueError, match=r"gone\.npz: no such file; run `embed` .*val\.tar"):
            HeldOut.load(folder / "val.tar", folder / "gone.npz", encoder, SIZE)
        with pytest.raises(ValueError, match=r"b\.view0\.npz: holds other photos than .*val\.tar"):
            HeldOut.load(folder / "val.tar", folder / "b.view0.npz", encoder, SIZE)

    def test_figures_are_those_of_the_whole_gallery(self, folder: Path) -> None:
        class Answers(nn.Module):
            """Gives the held-out photos the embeddings that it is told."""

            def __init__(self, answers: np.ndarray) -> None:
                super().__init__()
                self.answers = nn.Parameter(torch.from_numpy(answers))
                self.known = to_tensor(torch.from_numpy(held.pictures))

            def forward(self, images: Tensor) -> Tensor:
                same = [[bool(torch.equal(a, b)) for b in self.known] for a in images]
                return self.answers[torch.tensor(same).float().argmax(1)]

        held = held_out(folder)
        right = held.figures(Answers(5 * held.targets))
        assert right == pytest.approx({"r1": 1.0, "r10": 1.0, "cosine": 1.0}, abs=1e-5)
        wrong = held.figures(Answers(np.roll(held.targets, 1, axis=0)))
        cosine = float((np.roll(held.targets, 1, axis=0) * held.targets).sum(1).mean())
        assert wrong["r1"] == 0
        assert wrong["cosine"] == pytest.approx(cosine, abs=1e-5)
