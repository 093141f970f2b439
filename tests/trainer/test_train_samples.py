"""What a student is shown: photos, views and captions that belong together, in a fixed order."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from train_data import DIMS, PHOTOS, shared_shards

from photosearch.encoders import Tokenizer
from trainer.data.photo_tars import PhotoTarError
from trainer.data.reinforced import ReinforcedSample, read_reinforced
from trainer.train.order import EpochOrder
from trainer.train.samples import Choices, Samples
from trainer.train.shards import Shards
from trainer.train.sources import Epochs
from trainer.train.task import Batch, Share

BATCH, SIZE = 10, 32
TOKENISE = Tokenizer(16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_shards(tmp_path_factory)


@pytest.fixture(scope="module")
def shards(folder: Path) -> Shards:
    return Shards(sorted(folder.glob("*.tar")))


def samples(shards: Shards, **changes: object) -> Samples:
    choices = {
        "image_size": SIZE,
        "columns": np.arange(sum(DIMS)),
        "real_captions": True,
        "synthetic_captions": True,
    }
    source = Epochs(shards, BATCH, seed=3)
    return Samples(source, Choices(**choices | changes), TOKENISE, batch=BATCH, seed=3)  # type: ignore[arg-type]


def photos_of(shards: Shards, batch: Batch) -> list[ReinforcedSample]:
    """The photos of a batch, found again by their teacher embeddings."""
    every = [shards.read(number) for number in range(len(shards))]
    found = []
    for row in batch.targets["images"].numpy():
        (photo,) = [s for s in every if (s.image_embeddings == row).all(1).any()]
        found.append(photo)
    return found


@pytest.mark.slow
def test_any_photo_can_be_read_by_itself(folder: Path, shards: Shards) -> None:
    every = list(read_reinforced(*sorted(folder.glob("*.tar"))))
    assert len(shards) == len(every) == PHOTOS
    for number in (PHOTOS - 1, 0, 14, 15, 7):
        mine, theirs = shards.read(number), every[number]
        assert (mine.key, mine.image_bytes) == (theirs.key, theirs.image_bytes)
        assert mine.captions == theirs.captions
        np.testing.assert_array_equal(mine.text_embeddings, theirs.text_embeddings)


def test_pictures_texts_and_embeddings_belong_together(shards: Shards) -> None:
    batch = samples(shards).batch(1, Share())
    photos = photos_of(shards, batch)
    targets, ids = batch.targets, batch.inputs["ids"].numpy()
    captioned = [bool(photo.captions) for photo in photos]
    assert targets["captioned"].tolist() == captioned
    assert 0 < targets["count"] == sum(captioned) < BATCH, "some have no caption"
    assert len(ids) == sum(captioned) + BATCH
    real, synthetic = iter(ids[: sum(captioned)]), iter(ids[sum(captioned) :])
    for row, photo in enumerate(photos):
        view = (photo.image_embeddings == targets["images"][row].numpy()).all(1).argmax()
        shown = batch.inputs["pictures"][row].numpy()
        np.testing.assert_array_equal(shown, np.asarray(photo.view(int(view), SIZE)))
        texts = [*photo.captions, *photo.synthetic]
        kinds = [("synthetic", next(synthetic), len(photo.captions), len(texts))]
        if photo.captions:
            kinds.append(("real", next(real), 0, len(photo.captions)))
        for kind, tokens, first, last in kinds:
            same = (photo.text_embeddings == targets[kind][row].numpy()).all(1)
            (place,) = [n for n in np.flatnonzero(same) if first <= n < last]
            np.testing.assert_array_equal(tokens, TOKENISE([texts[place]])[0])
        if not photo.captions:
            assert not targets["real"][row].any()


def test_a_batch_is_the_same_however_it_is_shared(shards: Shards) -> None:
    whole = samples(shards).batch(5, Share())
    parts = [samples(shards).batch(5, Share(index, 5)) for index in range(5)]
    pictures = torch.cat([part.inputs["pictures"] for part in parts])
    assert torch.equal(pictures, whole.inputs["pictures"])
    for name in ("images", "captioned", "real", "synthetic"):
        joined = torch.cat([part.targets[name] for part in parts])
        assert torch.equal(joined, whole.targets[name])


def test_an_epoch_shows_every_photo_once_and_the_next_another_order(shards: Shards) -> None:
    def keys(steps: range) -> list[str]:
        batches = [samples(shards).batch(step, Share()) for step in steps]
        return [photo.key for batch in batches for photo in photos_of(shards, batch)]

    first, second = keys(range(4)), keys(range(4, 8))
    assert sorted(first) == sorted(second) == sorted(f"p{n}" for n in range(PHOTOS))
    assert first != second


def test_windows_mix_only_some_shards(shards: Shards) -> None:
    places = np.arange(PHOTOS)
    order = EpochOrder(shards.firsts, seed=0, mixed=1).at(places, epoch=0)
    assert sorted(order.tolist()) == list(range(PHOTOS))
    of_first = order < 15
    assert np.flatnonzero(np.diff(of_first)).size == 1, "one shard after the other"
    assert order.tolist() != sorted(order.tolist())
    mixed = EpochOrder(shards.firsts, seed=0).at(places, epoch=0) < 15
    assert np.flatnonzero(np.diff(mixed)).size > 1


@pytest.mark.slow
def test_views_and_synthetic_captions_can_be_limited(shards: Shards) -> None:
    def seen(**changes: int) -> tuple[int, int]:
        source, views, texts = samples(shards, **changes), set(), set()
        for step in range(12):
            batch = source.batch(step, Share())
            photo = photos_of(shards, batch)[0]
            same = (photo.image_embeddings == batch.targets["images"][0].numpy()).all(1)
            views.add(int(same.argmax()))
            same = (photo.text_embeddings == batch.targets["synthetic"][0].numpy()).all(1)
            texts.add(int(same.argmax()) - len(photo.captions))
        return len(views), len(texts)

    assert seen() == (3, 2)
    assert seen(views=2, synthetic=1) == (2, 1)


def test_columns_choose_the_teachers(shards: Shards) -> None:
    second = np.arange(DIMS[0], sum(DIMS))
    whole = samples(shards).batch(0, Share()).targets
    part = samples(shards, columns=second).batch(0, Share()).targets
    for name in ("images", "real", "synthetic"):
        assert torch.equal(part[name], whole[name][:, DIMS[0] :])


def test_light_crops_are_new_at_every_step(shards: Shards) -> None:
    light = samples(shards, augmentation="light")
    stored = samples(shards).batch(0, Share()).inputs["pictures"]
    pictures = light.batch(0, Share()).inputs["pictures"]
    assert torch.equal(pictures, light.batch(0, Share()).inputs["pictures"])
    assert not torch.equal(pictures, stored)
    # Shown again an epoch later, in another place: compared photo by photo.
    later = torch.cat([light.batch(step, Share()).inputs["pictures"] for step in range(4, 8)])
    assert not any(torch.equal(pictures[0], other) for other in later)


def test_nudged_views_are_near_the_stored_ones_and_new_at_every_step(shards: Shards) -> None:
    nudged, stored = samples(shards, augmentation="nudged"), samples(shards)
    likeness, mirrored = [], []
    for step in range(4):
        ours, theirs = nudged.batch(step, Share()), stored.batch(step, Share())
        assert torch.equal(ours.inputs["ids"], theirs.inputs["ids"])
        assert ours.targets.pop("count") == theirs.targets.pop("count")
        for name, value in theirs.targets.items():
            assert torch.equal(ours.targets[name], value)
        for mine, exact in zip(ours.inputs["pictures"], theirs.inputs["pictures"], strict=True):
            likenesses = [
                np.corrcoef(mine.flatten(), form.flatten())[0, 1] for form in (exact, exact.flip(1))
            ]
            likeness.append(max(likenesses))
            mirrored.append(likenesses[1] > likenesses[0])
    assert np.median(likeness) > 0.9
    assert not any(np.isclose(likeness, 1, atol=1e-4))
    assert 0.3 < np.mean(mirrored) < 0.7
    # The same for the same seed and step, however a batch is shared, and other ones an epoch later.
    pictures = nudged.batch(0, Share()).inputs["pictures"]
    parts = [samples(shards, augmentation="nudged").batch(0, Share(n, 2)) for n in range(2)]
    assert torch.equal(torch.cat([part.inputs["pictures"] for part in parts]), pictures)
    later = torch.cat([nudged.batch(step, Share()).inputs["pictures"] for step in range(4, 8)])
    assert not any(torch.equal(pictures[0], other) for other in later)


def test_without_captions_there_are_no_texts(shards: Shards) -> None:
    batch = samples(shards, real_captions=False, synthetic_captions=False).batch(0, Share())
    assert batch.inputs.keys() == {"pictures"}
    assert batch.targets.keys() == {"images"}


def test_damage_is_named(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    tar = tmp_path / "copy" / "photos-1.tar"
    whole = tar.read_bytes()
    tar.write_bytes(whole[: len(whole) // 2 // 512 * 512])
    with pytest.raises((ValueError, PhotoTarError), match=r"photos-1\.tar"):
        Shards([tar]).read(24)
    tar.write_bytes(whole.replace(b"\xff\xd9", b"\xff\xd8", 1))
    damaged = [Shards([tar]).read(number) for number in range(25)]
    with pytest.raises(ValueError, match=r"photos-1\.tar: p\d+: not the picture"):
        _ = [sample.picture() for sample in damaged]


def test_shards_of_other_teachers_do_not_mix(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    manifest = tmp_path / "copy" / "photos-1.manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"logit_scale": 60.0', '"logit_scale": 61.0'))
    assert manifest.read_text() != text
    with pytest.raises(ValueError, match=r"photos-1\.tar: reinforced by other teachers"):
        Shards(sorted((tmp_path / "copy").glob("*.tar")))
