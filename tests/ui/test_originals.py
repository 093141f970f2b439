"""Photos are opened for reading only, whatever is done with them: watched by the kernel."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from inotify import changes_below
from optional import module, needs_linux
from PIL import Image
from served import served
from shell import Shell
from test_formats import dng, mosaic, video

from photosearch.indexing.decode import prepare_decoders

pytestmark = [pytest.mark.slow, needs_linux("watches with inotify")]

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def everything(tmp_path: Path, pictures: Path) -> Path:
    """A picture in every format, with a sidecar, a copy, damage, and a file that is left out."""
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    with Image.open(pictures / "chelsea.png") as image:
        cat = image.convert("RGB").resize((240, 160))
    prepare_decoders()
    exif = Image.Exif()
    exif[0x0112] = 6
    for suffix in ("jpg", "png", "tif", "heic", "avif", "gif", "webp"):
        cat.save(folder / f"{suffix}.{suffix}", exif=exif.tobytes())
    cat.save(folder / "bmp.bmp")
    (folder / "dng.dng").write_bytes(dng(None, mosaic(cat).astype(np.uint16), 1))
    video(folder / "mp4.mp4", [cat, cat.rotate(90)])
    codecs = module("imagecodecs")
    (folder / "jxl.jxl").write_bytes(codecs.jpegxl_encode(np.asarray(cat), level=90))
    (folder / "jpg.jpg.xmp").write_text(XMP, encoding="utf-8")
    shutil.copy(folder / "jpg.jpg", folder / "below" / "copy.jpg")
    (folder / "damaged.jpg").write_bytes((folder / "jpg.jpg").read_bytes()[:3000])
    (folder / "damaged.mp4").write_bytes((folder / "mp4.mp4").read_bytes()[:3000])
    (folder / "left_out.jpg").write_bytes((folder / "jpg.jpg").read_bytes())
    (folder / ".photosearchignore").write_text("left_out.*\n", encoding="utf-8")
    return folder


def test_the_watch_sees_a_file_that_is_opened_for_writing(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("a", "b", "below/c"):
        (tmp_path / name).touch()
    with changes_below(tmp_path) as (changes, opened):
        (tmp_path / "a").read_bytes()
        os.close(os.open(tmp_path / "b", os.O_RDWR))
        os.utime(tmp_path / "below" / "c")
    assert changes == {("b", "opened for writing"), ("c", "attributes changed")}
    assert opened == {"a", "b"}


def test_nothing_opens_a_photo_for_writing(
    shell: Shell, everything: Path, tiny_bundle: Path
) -> None:
    """Indexing, indexing again after changes, searching, the browser, and forgetting."""
    names = {path.name for path in everything.iterdir() if path.suffix == f".{path.stem}"}
    for path in everything.rglob("*"):
        if path.is_file():
            path.chmod(0o666)  # so that whatever wanted to write could
    with changes_below(everything) as (changes, opened):
        result = shell("index", everything)
        assert result.returncode == 0, result.stderr
        assert b"2 skipped" in result.stdout
        assert shell("search", "a cat").returncode == 0
        assert shell("index", "--retry").returncode == 0
    assert changes == set()
    assert opened >= names | {"copy.jpg", "damaged.jpg", "damaged.mp4", "jpg.jpg.xmp"}
    assert "left_out.jpg" not in opened

    os.utime(everything / "png.png")
    (everything / "heic.heic").rename(everything / "moved.heic")
    (everything / "jpg.jpg.xmp").write_text(XMP.replace("4", "5"), encoding="utf-8")
    with changes_below(everything) as (changes, opened):
        assert b"recognised" in shell("index").stdout
        # Looking at all photos in the browser, small, large, and to save.
        with served(shell.library, tiny_bundle) as server:
            photos = server.ask("/api/newest").json["hits"]
            assert len(photos) == len(names) + 1
            for photo in photos:
                for kind in ("thumbnail", "screen", "full", "original"):
                    assert server.ask(f"/api/{kind}/{photo['id']}").status in (200, 404)
        assert shell("forget", everything).returncode == 0
    assert changes == set()
    assert opened >= {"png.png", "moved.heic", "jpg.jpg.xmp", "dng.dng", "mp4.mp4"}
