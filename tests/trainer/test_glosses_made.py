"""The list of words, as the trainer makes it from little data."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from photosearch.words import dictionary
from photosearch.words.gloss import gloss
from trainer.cli import main

HEAD = "  1 This is the licence\n"
# Offset, file, type, words, pointers, gloss; the index has how many senses, and their offsets.
DATA = {
    "noun": [
        "00000001 05 n 02 dog 0 Domestic_dog 0 000 | a pet",
        "00000002 06 n 02 bicycle 0 bike 0 000 | two wheels",
        "00000003 06 n 01 bank 0 000 | of a river",
        "00000004 06 n 01 bench 0 000 | to sit on",
        "00000005 06 n 01 quux 0 000 | nobody says that",
    ],
    "verb": ["00000006 30 v 01 dog 0 000 | to follow"],
    "adj": [],
    "adv": [],
}
INDEX = {
    "noun": [
        "bank n 1 0 1 1 00000003",
        "bench n 1 0 1 1 00000004",
        "bicycle n 1 0 1 1 00000002",
        "bike n 1 0 1 0 00000002",
        "dog n 1 0 1 1 00000001",
        "domestic_dog n 1 0 1 0 00000001",
        "quux n 1 0 1 0 00000005",
    ],
    "verb": ["dog v 1 0 1 0 00000006"],
    "adj": [],
    "adv": [],
}
WORDS = [
    "deu\t00000001-n\tHund\twikt",
    "deu\t00000002-n\tFahrrad\twikt",
    "deu\t00000003-n\tBank\twikt",
    "deu\t00000004-n\tBank\twikt",
    "deu\t00000005-n\tQuux Wort\twikt",
    "fra\t00000006-v\tchien\tfra",
    "fra\t00000001-n\tchien\twikt",
    "fra\t00000005-n\todd\tfra",  # nobody says it, and the source has a long tail
    "xyz\t00000001-n\thund\twikt",  # a language that we do not have
]
CAPTIONS = ["A dog on a bench."] * 5 + ["Two dogs on a bike by the bank.", "A bicycle."] * 3


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for kind, lines in (("data", DATA), ("index", INDEX)):
        for part, rows in lines.items():
            text = HEAD + "".join(f"{row}\n" for row in rows)
            (tmp_path / f"{kind}.{part}").write_text(text, encoding="utf-8")
    with gzip.open(tmp_path / "words.tsv.gz", "wt", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in WORDS)
    (tmp_path / "captions.txt").write_text("\n".join(CAPTIONS), encoding="utf-8")
    return tmp_path


def make(data: Path, out: Path) -> str:
    arguments = [data / "words.tsv.gz", "--sentences", data / "captions.txt"]
    arguments += ["--wordnet", data, "--out", out]
    done = CliRunner().invoke(main, ["glosses", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def entries(path: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(path) as file:
        lines = [line for name in file.namelist() for line in file.read(name).decode().split("\n")]
    rows = (line.split("\t") for line in lines if line)
    return {written or bare: said for bare, written, *said in rows}


def test_the_likeliest_words_are_kept(data: Path, tmp_path: Path) -> None:
    make(data, tmp_path / "out" / "glosses.zip")
    found = entries(tmp_path / "out" / "glosses.zip")
    assert found["hund"] == ["de:dog"]
    assert found["fahrrad"] == ["de:bicycle|bike"]
    # Two meanings, of which the one that people say more often of photos comes first.
    assert found["bank"] == ["de:bench|bank", "en:"]
    assert found["chien"] == ["fr:dog"]
    # From a trusted source rare words are kept.
    assert found["quux wort"] == ["de:quux"]
    assert "odd" not in found
    assert found["quux"] == ["en:?"]
    assert found["dog"] == found["on"] == ["en:"]


def test_the_same_data_make_the_same_bytes(data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    make(data, first)
    make(data, second)
    assert first.read_bytes() == second.read_bytes()


def test_the_product_reads_what_was_made(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from photosearch.words import forms

    path = tmp_path / "glosses.zip"
    make(data, path)
    kept = (dictionary.find, dictionary._shelf, dictionary._file, forms.read, forms.simple)

    def forget() -> None:
        for each in kept:
            each.cache_clear()

    forget()
    monkeypatch.setattr(dictionary, "asset", lambda *parts: path)
    try:
        found = gloss("Fahrrad")
        assert found is not None
        assert found.texts == (("bicycle", 1.0), ("bike", 0.5))
        assert gloss("Brücke") is None
    finally:
        dictionary._file().close()
        forget()


def test_what_is_no_list_of_words_is_refused(data: Path, tmp_path: Path) -> None:
    (data / "bad.tsv").write_text("deu\tHund\n", encoding="utf-8")
    arguments = ["glosses", str(data / "bad.tsv"), "--sentences", str(data / "captions.txt")]
    arguments += ["--wordnet", str(data), "--out", str(tmp_path / "x.zip")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "line 1 has 2 columns" in done.output
    assert not (tmp_path / "x.zip").exists()
