"""Apple's published format, written here as their files are and read back."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tars import write_tar

from trainer.data.datacompdr import read_datacompdr
from trainer.torchvision_ops import ensure_torchvision

VIEWS, SYNTHETIC, DIM, SIZE = 6, 5, 1536, 224


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (25, 40, 3), np.uint8)
    return Image.fromarray(values).resize((320, 200), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def drawn(photo: Image.Image) -> list[tuple[list[Any], np.ndarray]]:
    """Stored parameters and the pixels that they stand for, by torchvision."""
    ensure_torchvision()
    from torchvision.transforms import InterpolationMode, RandomResizedCrop, functional
    from torchvision.transforms.autoaugment import RandAugment, _apply_op

    torch.manual_seed(3)
    names = list(space := RandAugment()._augmentation_space(31, (SIZE, SIZE)))
    views = []
    for number in range(VIEWS):
        crop = RandomResizedCrop.get_params(photo, [0.08, 1.0], [3 / 4, 4 / 3])
        image = functional.resized_crop(photo, *crop, [SIZE, SIZE], InterpolationMode.BICUBIC)
        operations = []
        # Translations in both directions among them: theirs are in pixels.
        for name in (("TranslateX", "Rotate"), ("TranslateY", "Solarize"))[number % 2]:
            magnitudes, signed = space[name]
            magnitude = float(magnitudes[9]) * (-1 if signed and number > 2 else 1)
            image = _apply_op(image, name, magnitude, InterpolationMode.NEAREST, None)
            operations.append([names.index(name), magnitude])
        views.append(([list(crop), operations], np.asarray(image)))
    return views


@pytest.fixture(scope="module")
def members(photo: Image.Image, drawn) -> dict[str, bytes]:
    buffer = io.BytesIO()
    photo.save(buffer, "PNG")
    captions = [f"synthetic {n}" for n in range(SYNTHETIC)]
    return {
        "png": buffer.getvalue(),
        "url.txt": b"https://example.org/a.png",
        "txt": b" a real caption\n",
        "syn.json": json.dumps({"syn_text": captions}).encode(),
        "paug.json": json.dumps({"param_aug": json.dumps([p for p, _ in drawn])}).encode(),
        "json": b'{"uid": "0001", "sha256": "of the download"}',
    }


@pytest.fixture(scope="module")
def embeddings() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "image_emb": torch.randn(VIEWS, DIM).bfloat16(),
        "text_emb": torch.randn(1 + SYNTHETIC, DIM).bfloat16(),
    }


def npz(embeddings: dict[str, torch.Tensor], kind: type = np.float32) -> bytes:
    buffer = io.BytesIO()
    np.savez(
        buffer, **{name: rows.float().numpy().astype(kind) for name, rows in embeddings.items()}
    )
    return buffer.getvalue()


def pth_gz(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return gzip.compress(buffer.getvalue())


def tar(folder: Path, members: dict[str, bytes], **more: bytes) -> Path:
    """One sample; a keyword's `_` stands for the dot of a member's suffix."""
    files = {**members, **{name.replace("_", "."): data for name, data in more.items()}}
    return write_tar(folder / "00000000.tar", [(f"0001.{k}", v) for k, v in files.items() if v])


@pytest.mark.parametrize("form", ["npz", "pth.gz", "pth.gz of lists", "pth.gz of tensor lists"])
def test_all_forms_give_the_same_sample(form, members, embeddings, drawn, tmp_path) -> None:
    data = {
        "npz": lambda: npz(embeddings),
        "pth.gz": lambda: pth_gz(embeddings),
        "pth.gz of lists": lambda: pth_gz({k: v.float().tolist() for k, v in embeddings.items()}),
        "pth.gz of tensor lists": lambda: pth_gz({k: list(v) for k, v in embeddings.items()}),
    }[form]()
    suffix = "npz" if form == "npz" else "pth_gz"
    (sample,) = read_datacompdr(tar(tmp_path, members, **{suffix: data}))
    assert sample.key == "0001"
    assert sample.captions == ["a real caption"]
    assert sample.synthetic == [f"synthetic {n}" for n in range(SYNTHETIC)]
    assert sample.meta["uid"] == "0001"
    assert np.array_equal(sample.image_embeddings, embeddings["image_emb"].float().numpy())
    assert np.array_equal(sample.text_embeddings, embeddings["text_emb"].float().numpy())
    assert sample.image_embeddings.dtype == np.float32


def test_views_are_the_pixels_that_were_embedded(members, embeddings, drawn, tmp_path) -> None:
    (sample,) = read_datacompdr(tar(tmp_path, members, npz=npz(embeddings, np.float16)))
    for index, (_, expected) in enumerate(drawn):
        assert np.array_equal(sample.view(index, SIZE), expected), index
    assert sample.view(0, 128).size == (128, 128)


def test_a_list_of_parameters_does_too(members, embeddings, drawn, tmp_path) -> None:
    """Not each set keeps them as a string; RandAugment may be absent or have been skipped."""
    listed = [p for p, _ in drawn]
    listed[1], listed[2] = [listed[1][0], None], [listed[2][0]]
    paug = json.dumps({"param_aug": listed}).encode()
    (sample,) = read_datacompdr(tar(tmp_path, members, npz=npz(embeddings), paug_json=paug))
    assert np.array_equal(sample.view(0, SIZE), drawn[0][1])
    assert [len(item.operations) for item in sample.augmentations] == [2, 0, 0, 2, 2, 2]


def test_the_embedding_of_an_absent_caption_is_dropped(members, embeddings, tmp_path) -> None:
    (sample,) = read_datacompdr(tar(tmp_path, members, npz=npz(embeddings), txt=b""))
    assert sample.captions == []
    assert np.array_equal(sample.text_embeddings, embeddings["text_emb"][1:].float().numpy())


@pytest.mark.parametrize("form", ["npz", "pth.gz"])
def test_captions_named_by_their_writers_have_embeddings_apart(
    form, members, embeddings, tmp_path
) -> None:
    """As in DFNDR, and with one writer whose embeddings stand behind the real ones."""
    texts = embeddings["text_emb"]
    stored = {
        "image_emb": embeddings["image_emb"],
        "text_emb": texts[:2],
        "syn_text_coca_emb": texts[2:4],
        "syn_text_long_emb": texts[4:],
    }
    written = {
        "syn_text_coca": ["a", "b"], "syn_text": ["behind"],
        "syn_text_long": json.dumps(["c", "d"]),
    }  # fmt: skip
    suffix, data = ("npz", npz(stored)) if form == "npz" else ("pth_gz", pth_gz(stored))
    more = {"syn_json": json.dumps(written).encode(), suffix: data}
    (sample,) = read_datacompdr(tar(tmp_path, members, **more))
    assert sample.captions == ["a real caption"]
    assert sample.synthetic == ["behind", "a", "b", "c", "d"]
    assert np.array_equal(sample.text_embeddings, texts.float().numpy())
    stored["syn_text_long_emb"] = texts[4:5]
    more[suffix] = npz(stored) if form == "npz" else pth_gz(stored)
    with pytest.raises(ValueError, match="5 embeddings for 6 texts"):
        list(read_datacompdr(tar(tmp_path, members, **more)))


def test_exif_is_not_looked_at(members, embeddings, drawn, photo, tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    photo.save(buffer, "PNG", exif=exif)
    turned = {**members, "png": buffer.getvalue()}
    (sample,) = read_datacompdr(tar(tmp_path, turned, npz=npz(embeddings)))
    assert np.array_equal(sample.view(0, SIZE), drawn[0][1])


def test_a_smaller_picture_is_refused(members, embeddings, photo, tmp_path) -> None:
    buffer = io.BytesIO()
    photo.resize((160, 100)).save(buffer, "PNG")
    other = {**members, "png": buffer.getvalue()}
    (sample,) = read_datacompdr(tar(tmp_path, other, npz=npz(embeddings)))
    with pytest.raises(ValueError, match=r"0001: not the picture .* outside the picture's 160"):
        [sample.view(index, SIZE) for index in range(VIEWS)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"png": b""}, "0 pictures among"),
        ({"paug_json": b""}, "no paug.json"),
        ({"npz": b""}, r"no npz or pth\.gz"),
        ({"npz": b"PK nonsense"}, "DataCompDR"),
        ({"npz": b"", "pth_gz": b"nonsense"}, "DataCompDR"),
        ({"paug_json": b'{"param_aug": "[[[0, 0, 9, 9], [[99, 1.0]]]]"}'}, "index out of range"),
        ({"paug_json": b'{"param_aug": "[[[0, 0, 9, 9], []]]"}'}, "6 and 6 embeddings for 1 views"),
        ({"syn_json": b'{"syn_text": ["one"]}'}, "embeddings of 5 captions, but the tar has 1"),
    ],
)
def test_what_is_not_the_format_is_refused(members, embeddings, tmp_path, changes, message) -> None:
    path = tar(tmp_path, members, **({"npz": npz(embeddings)} | changes))
    with pytest.raises(ValueError, match=rf"00000000\.tar: 0001: not a sample .*{message}"):
        list(read_datacompdr(path))


def test_nothing_is_unpickled(members, tmp_path) -> None:
    """A downloaded set must not be able to run code."""

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    path = tar(tmp_path, members, pth_gz=pth_gz({"image_emb": Trap(), "text_emb": Trap()}))
    with pytest.raises(ValueError, match="not a sample of DataCompDR"):
        list(read_datacompdr(path))
    buffer = io.BytesIO()
    np.savez(buffer, image_emb=np.asarray([Trap()]), text_emb=np.asarray([Trap()]))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        list(read_datacompdr(tar(tmp_path, members, npz=buffer.getvalue())))
    assert not (tmp_path / "sprung").exists()
