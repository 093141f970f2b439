"""Shards read one photo at a time: a stored index, an order that is computed, bad samples."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tars import sample, write_tar
from train_data import read_table, shared_shards, write_recipe, write_validation

from trainer.cli import main
from trainer.data import tar_index
from trainer.data.photo_tars import PhotoTarError
from trainer.data.tar_index import TarIndex
from trainer.train.order import EpochOrder, scattered
from trainer.train.shards import Shards
from trainer.train.sources import Drawn, Epochs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_shards(tmp_path_factory)


def train(recipe: Path, out: Path, *sets: str) -> str:
    arguments = ["train", str(recipe), "--out", str(out)]
    result = CliRunner().invoke(main, arguments + [one for each in sets for one in ("--set", each)])
    assert result.exit_code == 0, result.output
    return result.output


def test_an_index_is_made_once_and_anew_for_another_tar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tar = write_validation(tmp_path / "photos.tar", 5)
    whole = [TarIndex(tar).bounds(number) for number in range(TarIndex(tar).count())]
    assert len(whole) == 5
    assert whole[0][0] == 0
    assert [end for _, end in whole[:-1]] == [start for start, _ in whole[1:]]
    monkeypatch.setattr(tar_index, "_starts", lambda path: pytest.fail("is stored"))
    assert [TarIndex(tar).bounds(number) for number in range(5)] == whole
    monkeypatch.undo()
    write_validation(tar, 3)
    assert TarIndex(tar).count() == 3
    # An index that is cut short, or of something else.
    stored = tmp_path / "photos.tar.index"
    stored.write_bytes(stored.read_bytes()[:20])
    assert TarIndex(tar).count() == 3
    assert {file.name for file in tmp_path.iterdir()} == {"photos.tar", "photos.tar.index"}


def test_an_index_that_cannot_be_stored_is_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tar = write_validation(tmp_path / "photos.tar", 4)
    # A folder in its place, which root cannot write to either.
    (tmp_path / "photos.tar.index").mkdir()
    index = TarIndex(tar)
    assert index.count() == 4
    start, end = index.bounds(3)
    assert 0 < start < end <= tar.stat().st_size
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_a_tar_that_is_cut_short_is_named(tmp_path: Path) -> None:
    tar = write_validation(tmp_path / "photos.tar", 4)
    start, _ = TarIndex(tar).bounds(2)
    os.truncate(tar, start)
    with pytest.raises(PhotoTarError, match=r"photos\.tar: damaged or cut short after v1"):
        Shards([tar])
    with pytest.raises(PhotoTarError, match=r"none\.tar: cannot be read"):
        Shards([tmp_path / "none.tar"])


@pytest.mark.parametrize("count", [1, 2, 3, 40, 1000, 4097])
def test_a_scattered_order_has_every_number_once(count: int) -> None:
    order = scattered(np.arange(count), count, (3, 1))
    assert sorted(order.tolist()) == list(range(count))
    if count > 3:
        assert not np.array_equal(order, scattered(np.arange(count), count, (3, 2)))


def test_an_order_of_billions_looks_like_a_shuffle_and_takes_no_memory() -> None:
    count = 1_280_000_000
    found = scattered(np.arange(20_000) + count // 2, count, (0, 0))
    assert len(set(found.tolist())) == len(found)
    # Each tenth of the numbers gets a tenth of the places, up to five standard deviations.
    shares = np.bincount(found * 10 // count, minlength=10)
    assert np.abs(shares - 2000).max() < 5 * np.sqrt(2000 * 0.9)
    # Neighbours are no nearer to each other than any two: a third of the range.
    assert np.abs(np.diff(found)).mean() / count == pytest.approx(1 / 3, abs=0.02)
    order = EpochOrder(np.arange(0, count + 1, 10_000), seed=0, mixed=64)
    first = order.at(np.arange(64 * 10_000), epoch=5)
    assert len(set(first.tolist())) == len(first)
    assert len(set((first // 10_000).tolist())) == 64, "64 shards are read at a time"
    held = [value for value in vars(order).values() if isinstance(value, np.ndarray)]
    assert sum(value.nbytes for value in held) < 8 * 128_001 * 3 + 8 * 2001


def test_photos_are_drawn_by_weight_and_anew_at_each_step(folder: Path) -> None:
    shards = Shards(sorted(folder.glob("*.tar")))
    drawn = Drawn(shards, [(0, 15), (15, 40)], (3.0, 1.0), seed=0)
    places = np.arange(200)
    found = [np.array(drawn.choose(step, places, 0)) for step in range(5)]
    share = np.mean([(numbers < 15).mean() for numbers in found])
    assert share == pytest.approx(0.75, abs=0.05)
    assert max(Counter(found[0].tolist()).values()) > 1, "with replacement"
    assert not np.array_equal(found[0], found[1])
    assert drawn.choose(2, places[7:9], 0) == found[2][7:9].tolist()
    assert drawn.choose(2, places[:9], 1) != found[2][:9].tolist()


def test_weights_are_of_the_patterns(folder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, folder, run={"steps": 2})
    both = f'data.train=["{folder}/photos-0.tar", "{folder}/photos-1.tar"]'
    told = train(recipe, tmp_path / "run", both, "data.weights=[2, 1]")
    assert "40 photos, drawn" in told
    refused = ["train", str(recipe), "--out", str(tmp_path / "other"), "--set"]
    result = CliRunner().invoke(main, [*refused, "data.weights=[2.0, 1.0]"])
    assert "[data] weights: must be one for each of the 1 of train" in result.output


def test_a_bad_sample_is_skipped_logged_and_counted(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    tar = copy / "photos-1.tar"
    # One picture of 25 is damaged in its last bytes.
    whole = tar.read_bytes()
    tar.write_bytes(whole.replace(b"\xff\xd9", b"\xff\xd8", 1))
    recipe = write_recipe(tmp_path, copy, run={"steps": 10})
    out = tmp_path / "run"
    told = train(recipe, out)
    with (out / "skipped.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # Two epochs of five steps.
    assert [int(row["step"]) <= 5 for row in rows] == [True, False]
    assert len({row["reason"] for row in rows}) == 1
    assert "photos-1.tar: p" in rows[0]["reason"]
    assert "not the picture" in rows[0]["reason"]
    assert f"{len(rows)} photos could not be read and were left out" in told
    assert len(read_table(out / "training.csv")) == 5
    # Not a whole shard of them.
    tar.write_bytes(whole.replace(b'"synthetic"', b'"sympathic"'))
    (copy / "photos-0.tar").unlink()
    refused = ["train", str(recipe), "--out", str(tmp_path / "other")]
    result = CliRunner().invoke(main, refused)
    assert result.exit_code == 1
    assert "8 photos in a row could not be read; the last one:" in result.output


def test_an_epoch_replaces_what_cannot_be_read_by_others_of_it(folder: Path) -> None:
    epochs = Epochs(Shards(sorted(folder.glob("*.tar"))), 10, seed=0)
    places = np.arange(10)
    first = [epochs.choose(3, places, attempt) for attempt in range(8)]
    assert len({numbers[0] for numbers in first}) == 8
    with pytest.raises(ValueError, match="is more than the 40 photos"):
        Epochs(Shards(sorted(folder.glob("*.tar"))), 41, seed=0)


def test_captioned_photo_tars_train_without_teachers(tmp_path: Path) -> None:
    members = []
    for number in range(12):
        picture = Image.new("RGB", (40, 40), (number * 20, 0, 255 - number * 20))
        meta = [{"caption": f"shade {number}"}, {"captions": [f"shade {number}", "blue"]}, None]
        members += sample(f"k{number}", picture, meta[number % 3])
        if number % 3 == 2:
            members.append((f"k{number}.txt", f"shade {number}\n".encode()))
    write_tar(tmp_path / "plain" / "photos.tar", members)
    loss = {"lambda": 0.0, "captions": ["real"]}
    recipe = write_recipe(
        tmp_path, tmp_path / "plain", data={"augmentation": "light"}, loss=loss, run={"steps": 4}
    )
    told = train(recipe, tmp_path / "run")
    assert "12 photos" in told
    assert set(read_table(tmp_path / "run" / "training.csv")[0]) >= {"loss", "clip_loss_real"}
    for override, message in {
        "loss.lambda=0.5": "the shards hold captions and no teachers' embeddings",
        'loss.captions=["synthetic"]': "not all shards hold synthetic captions",
        "data.augmentation=stored": 'must be "light" for shards that hold no views',
    }.items():
        sets = ["--set", override]
        if override.startswith("loss.lambda"):
            sets += ["--set", "data.augmentation=stored"]
        arguments = ["train", str(recipe), "--out", str(tmp_path / "other"), *sets]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 1
        assert message in result.output


def test_shards_of_two_forms_do_not_mix(folder: Path, tmp_path: Path) -> None:
    captioned = write_validation(tmp_path / "a.tar", 2)
    ours = Path(shutil.copy(folder / "photos-0.tar", tmp_path / "b.tar"))
    with pytest.raises(ValueError, match=r"b\.manifest\.json: missing"):
        Shards([captioned, ours])
    published = write_tar(tmp_path / "c.tar", [("k.paug.json", json.dumps({}).encode())])
    with pytest.raises(ValueError, match="are of two forms, captioned and datacompdr"):
        Shards([captioned, published])
