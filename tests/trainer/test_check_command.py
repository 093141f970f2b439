"""`photosearch-trainer check` on the forms in which people have pictures with captions."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from optional import module
from PIL import Image
from reinforce_data import pictures
from tars import write_tar

from trainer.cli import main
from trainer.reinforce.sources import open_sources


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, arguments)])


def test_a_folder_is_counted_and_shown(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    data = pictures(4)
    for name, content in zip("abcd", [*data[:3], data[0]], strict=True):
        (folder / f"{name}.jpg").write_bytes(content)
    (folder / "a.txt").write_text("a <b>bold</b> cat\n")
    (folder / "b.txt").write_text("two words\nthree more words")
    small = io.BytesIO()
    Image.new("RGB", (20, 300)).save(small, "JPEG")
    (folder / "e.jpg").write_bytes(small.getvalue())
    page = tmp_path / "page.html"
    result = check(folder, "--page", page, "--shown", "3")
    assert result.exit_code == 0, result.output
    assert "5 photos, 3 captions of 2.7 words on average" in result.output
    assert "3 photos have no caption" in result.output
    assert "1 photos stand there a second time" in result.output
    text = page.read_text(encoding="utf-8")
    assert text.count("<figure>") == text.count("data:image/jpeg;base64,") == 3
    assert "<b>" not in text
    assert "5 photos, 3 captions" in text
    (folder / "f.jpg").write_bytes(data[1][:200])
    result = check(folder)
    assert result.exit_code == 1
    assert "1 photos cannot be read, such as" in result.output
    assert "f.jpg: not a readable picture" in result.output


def test_one_caption_for_many_is_said(tmp_path: Path) -> None:
    members = []
    for number, data in enumerate(pictures(14)):
        members += [(f"{number}.jpg", data), (f"{number}.json", b'{"caption": "untitled"}')]
    tar = write_tar(tmp_path / "photos.tar", members)
    result = check(tar)
    assert result.exit_code == 0
    assert "14 photos have the caption: untitled" in result.output


def test_a_data_set_of_hugging_face_on_disk(tmp_path: Path) -> None:
    arrow = module("pyarrow")
    folder = tmp_path / "saved" / "train"
    folder.mkdir(parents=True)
    (tmp_path / "saved" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "d.arrow"}]}))
    data = pictures(3)
    (folder / "c.jpg").write_bytes(data[2])
    images = [{"bytes": data[0], "path": "a.jpg"}, {"bytes": data[1], "path": None},
              {"bytes": None, "path": "c.jpg"}]  # fmt: skip
    table = arrow.table({"image": images, "caption": ["one", "two", "three"], "id": [1, 2, 3]})
    with (
        arrow.OSFile(str(folder / "d.arrow"), "wb") as file,
        arrow.ipc.new_stream(file, table.schema) as writer,
    ):
        writer.write_table(table, max_chunksize=2)
    (source,) = open_sources([tmp_path / "saved"], None, 10)
    assert source.count() == 3
    samples = list(source.samples())
    assert [sample.image_bytes for sample in samples] == data
    assert [sample.meta["captions"] for sample in samples] == [["one"], ["two"], ["three"]]
    assert "3 photos, 3 captions" in check(tmp_path / "saved").output
    (folder / "c.jpg").unlink()
    assert "row 2: neither a picture nor the path of one" in check(folder).output
    (folder / "d.arrow").write_bytes(b"no")
    assert "not an Arrow file" in check(folder).output
    (folder / "state.json").write_text("{}")
    with pytest.raises(ValueError, match="not a data set saved to disk"):
        open_sources([folder], None, 10)
