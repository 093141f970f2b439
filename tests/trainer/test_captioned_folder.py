"""Folders of pictures with captions: every form of captions file, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reinforce_data import pictures

from trainer.data.captioned_folder import folder_shards, key_of, read_captions
from trainer.data.photo_tars import decode
from trainer.reinforce.sources import open_sources

CAPTIONS = {"a.jpg": ["one", "two, with a comma"], "sub.d/b.c.PNG": ["three"], "z.jpg": []}
FORMS = {
    "plain.csv": 'a.jpg,one\nsub.d/b.c.PNG,three\na.jpg,"two, with a comma"\nz.jpg,\n',
    "header.csv": '\ufefffile,caption\na.jpg,one\na.jpg,"two, with a comma"\n\n'
    "./sub.d/b.c.PNG,three\nz.jpg, \n",
    "flickr.txt": 'image,caption\r\na.jpg, one\r\na.jpg,"two, with a comma"\r\n'
    "sub.d/b.c.PNG,three\r\nz.jpg,\r\n",
    "mapping.json": json.dumps(CAPTIONS),
    "single.json": json.dumps(CAPTIONS | {"sub.d/b.c.PNG": "three"}),
    "objects.json": json.dumps(
        [
            {"file": "a.jpg", "caption": "one", "split": "train"},
            {"file": "sub.d/b.c.PNG", "captions": ["three", " "]},
            {"file": "a.jpg", "captions": ["two, with a comma"]},
            {"file": "z.jpg", "captions": []},
        ]
    ),
    "lines.jsonl": '{"file_name": "a.jpg", "text": ["one", "two, with a comma"]}\n\n'
    '{"file": "sub.d/b.c.PNG", "caption": "three"}\n{"image": "z.jpg", "captions": []}\n',
    "columns.csv": "id,caption,file_name\n1,one,a.jpg\n2,three,sub.d/b.c.PNG\n"
    '3,"two, with a comma",a.jpg\n4,,z.jpg\n',
    "coco.json": json.dumps(
        {
            "info": {},
            "images": [
                {"id": 7, "file_name": "z.jpg"},
                {"id": 5, "file_name": "a.jpg"},
                {"id": 9, "file_name": "sub.d/b.c.PNG"},
            ],
            "annotations": [
                {"id": 1, "image_id": 5, "caption": "one"},
                {"id": 2, "image_id": 9, "caption": "three\n"},
                {"id": 3, "image_id": 5, "caption": "two, with a comma"},
            ],
        }
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "sub.d").mkdir(parents=True)
    data = pictures(4)
    for name, content in zip(["a.jpg", "sub.d/b.c.PNG", "z.jpg", "extra.jpeg"], data, strict=True):
        (folder / name).write_bytes(content)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.jpg").write_bytes(data[0])
    return folder


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_captions(tmp_path: Path, folder: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FORMS[name], encoding="utf-8", newline="")
    assert read_captions(path) == CAPTIONS
    (shard,) = folder_shards(folder, path, 10)
    assert {s.key: s.meta["captions"] for s in shard.samples()} == {
        "a": CAPTIONS["a.jpg"], "sub.d/b_c": ["three"], "z": [],
    }  # fmt: skip


def test_pictures_as_they_are_cut_by_order_of_names(tmp_path: Path, folder: Path) -> None:
    shards = folder_shards(folder, None, 3)
    assert [shard.name for shard in shards] == ["photos-00000", "photos-00001"]
    assert [shard.count() for shard in shards] == [3, 1]
    samples = [sample for shard in shards for sample in shard.samples()]
    assert [sample.key for sample in samples] == ["a", "extra", "sub.d/b_c", "z"]
    assert [sample.suffix for sample in samples] == ["jpg", "jpeg", "png", "jpg"]
    assert samples[0].image_bytes == (folder / "a.jpg").read_bytes()
    assert decode(samples[2]).mode == "RGB"


def test_captions_are_found_in_the_folder_or_beside_the_pictures(folder: Path) -> None:
    (folder / "a.txt").write_text("one\n\n two \n")
    (shard,) = folder_shards(folder, None, 10)
    assert {s.key: s.meta["captions"] for s in shard.samples()} == {
        "a": ["one", "two"], "extra": [], "sub.d/b_c": [], "z": [],
    }  # fmt: skip
    (folder / "metadata.jsonl").write_text('{"file_name": "z.jpg", "caption": "three"}')
    (shard,) = folder_shards(folder, None, 10)
    assert [(s.key, s.meta["captions"]) for s in shard.samples()] == [("z", ["three"])]


def test_digest_follows_names_captions_and_pixels(tmp_path: Path, folder: Path) -> None:
    captions = tmp_path / "c.csv"
    captions.write_text("a.jpg,one\nz.jpg,two\n")

    def digest() -> str:
        return folder_shards(folder, captions, 10)[0].digest()

    first = digest()
    assert digest() == first
    captions.write_text("z.jpg,two\na.jpg,one\n")
    assert digest() == first
    captions.write_text("a.jpg,one\nz.jpg,other\n")
    assert digest() != first
    captions.write_text("a.jpg,one\nz.jpg,two\n")
    (folder / "a.jpg").write_bytes(pictures(1, first=9)[0])
    changed = digest()
    assert changed != first
    (folder / "a.jpg").rename(folder / "b.jpg")
    captions.write_text("b.jpg,one\nz.jpg,two\n")
    assert digest() != changed


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.csv", "a.jpg,one\nz.jpg,two,three\n", "line 2: 3 columns"),
        ("c.csv", "a.jpg\n", "line 1: 1 columns"),
        ("c.csv", 'a.jpg,"one\n', "line 1: not CSV"),
        ("c.csv", "", "names no pictures"),
        ("c.json", "[", "not JSON"),
        ("c.jsonl", '{"file": "a.jpg", "caption": "one"}\n{"file": "z.jpg"}', "line 2: not an"),
        ("c.json", '[{"name": "a.jpg"}]', "neither file names with captions"),
        ("c.json", '{"a.jpg": 3}', "must be a file name with a list"),
        ("c.json", '{"a.jpg": [3]}', "a caption that is not text"),
        ("c.json", '{"images": [], "annotations": [{"image_id": 1, "caption": ""}]}', "COCO"),
        ("c.csv", "gone.jpg,one\n", "names gone.jpg, which is not in"),
        ("c.csv", "../a.jpg,one\n", "lies outside"),
        ("c.csv", "/etc/a.jpg,one\n", "lies outside"),
        ("c.csv", "notes.txt,one\n", "is not a jpeg, jpg, png, webp picture"),
        ("c.csv", ".hidden.jpg,one\n", "is a hidden file"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, folder: Path, name: str, text: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"c\.(csv|jsonl?).*{message}"):
        folder_shards(folder, path, 10)


def test_two_files_of_one_key_are_refused(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a\.jpg and a\.png get the same key"):
        folder_shards(folder, None, 10)
    assert key_of("x/a.b.jpg") == key_of("x/a_b.png") == "x/a_b"


def test_a_picture_that_goes_away_is_named(folder: Path) -> None:
    (shard,) = folder_shards(folder, None, 10)
    (folder / "z.jpg").unlink()
    with pytest.raises(ValueError, match=r"z\.jpg: cannot be read"):
        list(shard.samples())


def test_captions_need_one_folder(tmp_path: Path, folder: Path) -> None:
    captions = tmp_path / "c.csv"
    captions.write_text("a.jpg,one\n")
    assert [source.name for source in open_sources([folder], captions, 9)] == ["photos-00000"]
    with pytest.raises(ValueError, match="needs exactly one input"):
        open_sources([folder, folder], captions, 9)
    with pytest.raises(ValueError, match=r"would both make photos-00000\.tar"):
        open_sources([folder, folder], None, 9)
