"""Reinforced shards: what is stored is what the teachers say of the views that are replayed."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reinforce_data import RECIPE, Namer, pictures, write_photos
from tars import write_tar
from tiny_openclip import write_folder

from trainer.data.photo_tars import PhotoTarError, read_photos
from trainer.data.reinforced import (
    bfloat16_bits,
    from_bfloat16_bits,
    manifest_path,
    read_manifest,
    read_reinforced,
)
from trainer.reinforce.networks import Networks, open_networks
from trainer.reinforce.shard import reinforce_shard
from trainer.reinforce.sources import TarShard

COUNT = 11  # of batches of four photos: two whole ones and a part


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """Two open_clip models: the ensemble of the paper, but tiny and with random weights."""
    folder = tmp_path_factory.mktemp("teachers")
    first = write_folder(folder / "first", seed=1)
    second = write_folder(folder / "second", seed=2, embed_dim=24, logit_scale=70)
    opened = open_networks([f"openclip:local-dir:{path}" for path in (first, second)], None)
    return replace(opened, captioner=Namer())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("source") / "photos.tar", COUNT)


@pytest.fixture(scope="module")
def shard(source: Path, networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    result = reinforce_shard(TarShard(source), out, RECIPE, networks)
    assert (result.count, result.made) == (COUNT, True)
    return out / "photos.tar"


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Of each row with each row."""
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (left, right)]
    return unit[0] @ unit[1].T


@pytest.mark.slow
def test_stored_embeddings_are_of_the_replayed_views(shard: Path, networks: Networks) -> None:
    """Of every view of every sample of a shard of several batches, for each teacher."""
    samples = list(read_reinforced(shard))
    manifest = read_manifest(shard)
    assert len(samples) == COUNT
    views = [s.view(index, manifest.view_size) for s in samples for index in range(RECIPE.views)]
    stored = np.concatenate([sample.image_embeddings for sample in samples])
    assert stored.shape == (COUNT * RECIPE.views, 16 + 24)
    for part, teacher in zip(manifest.slices(), networks.teachers, strict=True):
        again = cosines(teacher.embed_images(views), stored[:, part])
        assert again.diagonal().min() > 0.999
        # The test could not fail if all pictures had the same embedding.
        again[np.diag_indices_from(again)] = -1
        assert (again.max(axis=1) < 0.999).mean() > 0.9


@pytest.mark.slow
def test_each_view_of_a_photo_is_another(shard: Path) -> None:
    for sample in read_reinforced(shard):
        assert len(set(sample.augmentations)) == RECIPE.views
        assert all(len(item.operations) == 2 for item in sample.augmentations)
        assert {item.height * item.width for item in sample.augmentations} != {80 * 90}


def test_text_embeddings_are_of_the_captions_real_ones_first(
    shard: Path, networks: Networks
) -> None:
    seen = 0
    for number, sample in enumerate(read_reinforced(shard)):
        assert len(sample.captions) == number % 3
        assert sample.synthetic[1].startswith("1 ")
        assert len(sample.synthetic) == 2
        texts = [*sample.captions, *sample.synthetic]
        assert sample.text_embeddings.shape == (len(texts), 40)
        for part, teacher in zip(read_manifest(shard).slices(), networks.teachers, strict=True):
            again = cosines(teacher.embed_texts(texts), sample.text_embeddings[:, part])
            assert again.diagonal().min() > 0.999
            seen += int((again.argmax(axis=1) == np.arange(len(texts))).sum())
    assert seen > 0.9 * 2 * sum(2 + number % 3 for number in range(COUNT))


def test_shard_keeps_the_photos_and_what_was_said_of_them(source: Path, shard: Path) -> None:
    pairs = list(zip(read_photos(source), read_reinforced(shard), strict=True))
    for original, sample in pairs:
        assert sample.key == original.key
        assert sample.image_bytes == original.image_bytes
        assert sample.captions == original.meta["captions"]
        assert sample.meta == {"label": original.meta["label"]}
        assert sample.source_sha256 == hashlib.sha256(original.image_bytes).hexdigest()
        assert sample.source_size == Image.open(io.BytesIO(original.image_bytes)).size
    # The captioner saw the photo, under its key.
    assert pairs[4][1].synthetic[0] == "0 a woman in orange p4 (118, 80)"


def test_shard_is_a_captioned_photo_tar_too(source: Path, shard: Path) -> None:
    captions = [sample.meta["captions"] for sample in read_photos(source)]
    assert [sample.meta["captions"] for sample in read_photos(shard)] == captions


def test_layout_of_a_shard(shard: Path) -> None:
    with tarfile.open(shard) as tar:
        members = tar.getmembers()
        assert [member.name for member in members[:6]] == [
            "p0.jpg", "p0.json", "p0.npz", "p1.png", "p1.json", "p1.npz",
        ]  # fmt: skip
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
        file = tar.extractfile("p1.npz")
        assert file is not None
        with np.load(io.BytesIO(file.read()), allow_pickle=False) as stored:
            assert set(stored) == {"image_emb", "text_emb"}
            assert stored["image_emb"].dtype == stored["text_emb"].dtype == np.uint16


def test_manifest_says_how_it_was_made(source: Path, shard: Path, networks: Networks) -> None:
    manifest = read_manifest(shard)
    assert [teacher.digest for teacher in manifest.teachers] == [
        teacher.digest for teacher in networks.teachers
    ]
    assert [teacher.logit_scale for teacher in manifest.teachers] == pytest.approx([50, 70])
    assert manifest.captioner is not None
    assert manifest.captioner.name == "namer"
    assert manifest.augmentation == RECIPE.augmentation
    assert (manifest.seed, manifest.views, manifest.synthetic, manifest.dim) == (7, 3, 2, 40)
    assert (manifest.count, manifest.captions, manifest.skipped) == (COUNT, 10, [])
    assert manifest.source_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert manifest.sha256 == hashlib.sha256(shard.read_bytes()).hexdigest()
    assert manifest.picture_bytes == sum(len(s.image_bytes) for s in read_photos(source))
    assert json.loads(manifest_path(shard).read_text())["augmentation"]["digest"] == (
        RECIPE.augmentation.digest
    )


@pytest.mark.parametrize("other", range(4))
def test_another_picture_under_the_key_is_refused(shard: Path, other: int) -> None:
    sample = next(read_reinforced(shard))
    picture = pictures(1, first=other + 1)[0]
    with pytest.raises(ValueError, match=r"photos\.tar: p0: not the picture that p0 .* sha256"):
        replace(sample, image_bytes=picture).view(0, 32)


def test_a_picture_of_another_size_is_refused(shard: Path) -> None:
    """As when a decoder turns a photo that another did not: the bytes are the same."""
    sample = next(read_reinforced(shard))
    assert sample.source_size is not None
    turned = replace(sample, source_size=sample.source_size[::-1])
    with pytest.raises(ValueError, match=r"p0: not the picture .* size is \(90, 80\)"):
        turned.view(0, 32)


def test_views_are_of_the_upright_photo(networks: Networks, tmp_path: Path) -> None:
    """Crops are in pixels of the photo as people see it."""
    halves = np.zeros((60, 100, 3), np.uint8)
    halves[:, :50] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter: the white half belongs on top
    buffer = io.BytesIO()
    Image.fromarray(halves).save(buffer, "JPEG", exif=exif)
    members = [("a.jpg", buffer.getvalue()), ("a.json", b'{"label": "x"}')]
    recipe = replace(RECIPE, augmentation=replace(RECIPE.augmentation, whole_first=True))
    tar = write_tar(tmp_path / "t.tar", members)
    out = tmp_path / "out"
    out.mkdir()
    reinforce_shard(TarShard(tar), out, recipe, networks)
    (sample,) = read_reinforced(out / "t.tar")
    assert sample.source_size == (60, 100)
    whole = np.asarray(sample.view(0, 64), int)
    assert whole[:28].min() > 200
    assert whole[36:].max() < 50


class TestDamage:
    @pytest.fixture
    def copy(self, shard: Path, tmp_path: Path) -> Path:
        shutil.copy(manifest_path(shard), tmp_path)
        return Path(shutil.copy(shard, tmp_path))

    def test_cut_short(self, copy: Path) -> None:
        copy.write_bytes(copy.read_bytes()[:-20_000])
        with pytest.raises(PhotoTarError, match=r"photos\.tar"):
            list(read_reinforced(copy))

    def test_plain_photo_tar(self, source: Path) -> None:
        with pytest.raises(ValueError, match=r"photos\.tar: p0: not a reinforced sample"):
            list(read_reinforced(source))
        with pytest.raises(ValueError, match="not a finished reinforced shard"):
            read_manifest(source)

    @pytest.mark.parametrize("change", ["drop a view", "drop a caption", "strange operation"])
    def test_numbers_that_do_not_fit(self, shard: Path, tmp_path: Path, change: str) -> None:
        members = []
        with tarfile.open(shard) as tar:
            for member in tar.getmembers()[:3]:
                file = tar.extractfile(member)
                assert file is not None
                members.append([member.name, file.read()])
        about = json.loads(members[1][1])
        if change == "drop a view":
            del about["augmentations"][1]
        elif change == "drop a caption":
            del about["synthetic"][0]
        else:
            about["augmentations"][0][1][0][0] = "Melt"
        members[1][1] = json.dumps(about).encode()
        bad = write_tar(tmp_path / "bad.tar", [tuple(member) for member in members])
        with pytest.raises(ValueError, match=r"bad\.tar: p0: not a reinforced sample"):
            list(read_reinforced(bad))

    def test_manifest_of_another_kind(self, copy: Path) -> None:
        path = manifest_path(copy)
        known = json.loads(path.read_text())
        for change, message in [
            ({"format": 9}, "format 9"),
            ({"seed": None, "teachers": "x"}, "not the manifest"),
            ({"augmentation": known["augmentation"] | {"digest": "0"}}, "another version"),
        ]:
            path.write_text(json.dumps(known | change))
            with pytest.raises(ValueError, match=rf"photos\.manifest\.json: .*{message}"):
                read_manifest(copy)
        path.write_text("{")
        with pytest.raises(ValueError, match=r"photos\.manifest\.json: not JSON"):
            read_manifest(copy)


def test_bfloat16_rounds_to_nearest() -> None:
    values = np.random.default_rng(0).standard_normal(10_000).astype(np.float32)
    back = from_bfloat16_bits(bfloat16_bits(values))
    assert np.abs(back / values - 1).max() <= 2**-8
    assert np.abs((back / values - 1).mean()) < 1e-4
    assert np.array_equal(bfloat16_bits(back), bfloat16_bits(values))
