"""What libtiff and its kind print never reaches the terminal, and goes with the reason."""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shell import Shell

from photosearch.encoders import ImageSettings, Preprocess
from photosearch.indexing.printed import Printed, unheard
from photosearch.indexing.workers import CRASHED, DecodeWorkers, Trouble
from photosearch.search.embed import decoders
from photosearch.serving.shrinking import ShrinkError, Shrinkers

HALF = (0.5, 0.5, 0.5)
PREPROCESS = Preprocess(ImageSettings(32, "squash", "none", "bicubic", HALF, HALF))
# Loaded by every interpreter that is started: its decoder says something and crashes.
CRASHING = """
import os, sys
def crash(event, arguments):
    if event == "open" and str(arguments[0]).endswith("crash.png"):
        os.write(2, b"last words\\n")
        os.abort()
sys.addaudithook(crash)
"""


@pytest.fixture(scope="module")
def damaged() -> bytes:
    """A TIFF of which libtiff complains, row for row."""
    content = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (400, 300, 3), np.uint8)
    Image.fromarray(noise).save(content, "TIFF", compression="tiff_lzw")
    data = bytearray(content.getvalue())
    start = struct.unpack_from("<I", data, 4)[0]
    middle = start // 2 if start > len(data) // 2 else (start + len(data)) // 2
    data[middle : middle + 2000] = b"\xff" * 2000
    return bytes(data)


def test_libtiff_does_print_about_it(
    damaged: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Otherwise the other tests test nothing."""
    (tmp_path / "a.tif").write_bytes(damaged)
    with pytest.raises(OSError), Image.open(tmp_path / "a.tif") as image:  # noqa: PT011
        image.load()
    assert capfd.readouterr().err


@pytest.mark.slow
def test_it_is_kept_with_the_reason(shell: Shell, tmp_path: Path, damaged: bytes) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.tif").write_bytes(damaged)
    Image.new("RGB", (40, 30)).save(folder / "whole.tif", compression="tiff_lzw")
    (folder / "empty.jpg").touch()
    result = shell("index", "--workers", "1", folder)
    lines = result.stderr.decode().splitlines()
    assert len(lines) == 4
    assert all(line.startswith("skipped ") for line in lines)

    problems = json.loads(shell("status", "--json").stdout)["problems"]
    printed = {os.path.basename(each["path"]): each["printed"] for each in problems}
    assert printed.keys() == {"0.tif", "1.tif", "2.tif", "empty.jpg"}
    assert all("tempfile.tif: " in printed[f"{number}.tif"] for number in range(3))
    assert printed["empty.jpg"] == ""

    brief = shell("status", "--problems").stdout.decode()
    assert "    " + printed["0.tif"].splitlines()[0] not in brief
    assert brief.count(".tif: ") == 3
    full = shell("status", "--problems", "-v").stdout.decode()
    for line in printed["0.tif"].splitlines():
        assert full.count(f"    {line}\n") == 3
    refused = shell("status", "-v")
    assert refused.returncode == 2
    assert b"--problems" in refused.stderr


def test_last_words_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(CRASHING)
    repository = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path / "site"), repository)))
    Image.new("RGB", (9, 9)).save(tmp_path / "crash.png")
    with DecodeWorkers(PREPROCESS, 1) as pool:
        (result,) = filter(None, pool.decode([str(tmp_path / "crash.png")]))
    assert result.outcome == Trouble(CRASHED, printed="last words")


def test_the_servers_decoders_are_not_heard(
    damaged: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.tif").write_bytes(damaged)
    shrinkers = Shrinkers(1)
    try:
        for _ in range(2):
            with pytest.raises(ShrinkError):
                shrinkers.shrink(str(tmp_path / "a.tif"), 64).result()
    finally:
        shrinkers.close()
    assert capfd.readouterr().err == ""


def test_a_picture_to_search_by_is_not_heard(
    damaged: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str], shell: Shell
) -> None:
    (tmp_path / "a.tif").write_bytes(damaged)
    from photosearch.indexing.decode import DecodeError, decode

    with pytest.raises(DecodeError), decoders():
        decode(str(tmp_path / "a.tif"), PREPROCESS)
    assert capfd.readouterr().err == ""


def test_what_python_reports_is_heard(capfd: pytest.CaptureFixture[str]) -> None:
    import sys

    with unheard():
        os.write(2, b"from a library\n")
        print("from Python", file=sys.stderr)
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "from Python\nafterwards\n"


def test_a_flood_is_cut_short_and_no_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    printed = Printed()
    with open(printed.path, "ab") as file:
        file.write(b"row \xff\n\n" * 600)
    lines = printed.take().splitlines()
    assert lines == ["row \ufffd"] * 40 + ["…"]
    assert printed.take() == ""
    printed.close()
    assert list(tmp_path.iterdir()) == []
