"""What the benchmark of languages makes of words of which the answers are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.languages import Table, run

LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl", "ru", "ja", "zh"]
GERMAN = {"red": "rot", "green": "grün", "blue": "blau"}
NAMES = ["red", "green", "blue"]


def table(path: Path, german: list[str]) -> None:
    rows = [[name, *[name] * len(LANGUAGES)] for name in NAMES]
    for row, word in zip(rows, german, strict=True):
        row[2] = word
    lines = [["answer", *LANGUAGES], *rows]
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    table(folder / "words.tsv", [GERMAN[name] for name in NAMES])
    table(folder / "captions.tsv", [GERMAN[name] for name in NAMES])
    return folder


def cells(page: str, language: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.split("|")[2:-1]]
        for line in page.splitlines()
        if line.startswith(f"| {language} |")
    ]


def test_words_are_read_as_a_search_reads_them(
    colours: Path, coloured_photos: Path, texts: Path, tmp_path: Path
) -> None:
    run(colours, tmp_path, labelled=[coloured_photos], captioned=[coloured_photos], texts=texts)
    page = (tmp_path / "languages.md").read_text("utf-8")
    assert "$" not in page
    (english, _), (german, found) = cells(page, "English"), cells(page, "German")
    assert english[0].startswith("100.0% (")
    assert german[:2] == ["100.0% (100.0% to 100.0%)", "1.00 (1.00 to 1.00)"]
    # Without the list the model does not know a word of it.
    assert float(german[2].rstrip("%")) < 100
    assert found[0].startswith("100.0% (")


def test_what_no_photo_answers_is_named(
    colours: Path, coloured_photos: Path, texts: Path, tmp_path: Path
) -> None:
    words = texts / "words.tsv"
    words.write_text(words.read_text("utf-8").replace("red\t", "violet\t", 1), encoding="utf-8")
    with pytest.raises(ValueError, match="no photo has the label violet"):
        run(colours, tmp_path, labelled=[coloured_photos], captioned=[coloured_photos], texts=texts)
    table(texts / "words.tsv", NAMES)
    captions = texts / "captions.tsv"
    captions.write_text(captions.read_text("utf-8").replace("blue\t", "x\t", 1), encoding="utf-8")
    with pytest.raises(ValueError, match="x is not there"):
        run(colours, tmp_path, labelled=[coloured_photos], captioned=[coloured_photos], texts=texts)


@pytest.mark.parametrize("name", ["words.tsv", "captions.tsv"])
def test_each_text_is_there_in_each_language(name: str) -> None:
    read = Table.read(Path(__file__).parents[2] / "benchmarks" / "texts" / name)
    assert list(read.texts) == LANGUAGES
    for texts in read.texts.values():
        assert len(texts) == len(read.answers) >= 36
        assert all(text == text.strip() != "" for text in texts)
        assert len(set(texts)) == len(texts)
