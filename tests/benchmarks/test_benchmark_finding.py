"""What the benchmarks of what a search shows, and of classes, make of photos of known answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from colour_bundle import COLOURS
from PIL import Image
from tars import sample, write_tar

from benchmarks.__main__ import main
from benchmarks.classes import grouped, read_names
from benchmarks.classes import run as run_classes
from benchmarks.finding import SHORT, Found, Query, gallery, read_short, run
from benchmarks.not_there import NotThereError
from trainer.data.photo_tars import read_photos

pytestmark = pytest.mark.slow


def test_each_photo_is_found_by_its_name_and_a_search_that_fails_finds_nothing(
    colours: Path, coloured_photos: Path, tmp_path: Path
) -> None:
    names = list(COLOURS)
    short = tmp_path / "short.tsv"
    # The last asks by a filter that is none, as somebody might.
    short.write_text(
        f"photo\tfirst\tsecond\n{names[0]}\t{names[0]}\tbefore:nonsense\n", encoding="utf-8"
    )
    run(
        colours,
        tmp_path / "work",
        tmp_path,
        captioned=[coloured_photos],
        unseen=[coloured_photos],
        short=short,
    )
    page = (tmp_path / "finding.md").read_text("utf-8")
    assert "$" not in page
    rows = {
        cells[0]: cells[1:]
        for line in page.splitlines()
        if line.startswith("| ")
        for cells in [[cell.strip() for cell in line.split("|")[1:-1]]]
    }
    many = str(len(names))
    assert rows["captions, without cut-offs"][:2] == [many, many]
    assert rows["captions, without cut-offs"][2].startswith("100.0% (")
    typed = rows["a few words, without cut-offs"]
    assert typed[:2] == ["2", many]
    assert typed[2].startswith("50.0% (")


def test_photos_are_resampled_with_all_their_searches() -> None:
    never = float("inf")
    places = np.array([1, 1, never, never])
    found = Found(2, places, places, np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    # Of two photos one in four draws has only the first, and as many only the second.
    assert found.share(places, 10) == "50.0% (0.0% to 100.0%)"


def test_a_photo_that_is_asked_for_has_to_be_there(coloured_photos: Path) -> None:
    names = list(COLOURS)
    chosen = gallery(read_photos(coloured_photos), {names[1]}, 2)
    assert [photo.key for photo in chosen] == [names[1], names[0]]
    with pytest.raises(NotThereError, match="grass is not there"):
        gallery(read_photos(coloured_photos), {"grass"}, 2)


def test_whoever_gives_the_wrong_tar_is_told_so_at_once(
    coloured_photos: Path, colours: Path, tmp_path: Path
) -> None:
    tar = str(coloured_photos)
    given = ["--bundle", str(colours), "--captioned", tar, "--unseen", tar, "--work", str(tmp_path)]
    result = CliRunner().invoke(main, ["finding", *given, "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "--unseen: " in result.output
    assert "give the tar that has it" in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_short_searches_are_short_and_each_of_its_own() -> None:
    asked = read_short(SHORT)
    assert len(asked) == 2 * len({query.key for query in asked})
    assert all(1 <= len(query.text.split()) <= 4 for query in asked)
    assert len(set(asked)) == len(asked)
    assert Query("teddy bear", asked[0].key) in asked


def test_classes_are_told_by_bare_names(
    colours: Path, coloured_photos: Path, tmp_path: Path
) -> None:
    names = tmp_path / "names.json"
    names.write_text(json.dumps([*(name.title() for name in COLOURS), "Unseen"]), encoding="utf-8")
    run_classes(colours, tmp_path, labelled=[coloured_photos], names=names)
    page = (tmp_path / "classes.md").read_text("utf-8")
    assert "$" not in page
    assert f"| other sets | {len(COLOURS)} | {len(COLOURS)} | 100.0% (" in page


def test_photos_of_imagenet_and_labels_that_are_concepts_are_told_apart(tmp_path: Path) -> None:
    said = [("imagenette", "chain saw"), ("drawn", "Ant"), ("drawn", "tench"), ("drawn", "none")]
    members = [
        member
        for number, (source, label) in enumerate(said)
        for member in sample(
            f"p{number}", Image.new("RGB", (8, 8)), {"label": label, "source": source}
        )
    ]
    names = tmp_path / "names.json"
    names.write_text(json.dumps(["Tench", "tench", "chainsaw", "ant"]), encoding="utf-8")
    classes = read_names(names)
    assert classes == ["tench", "chainsaw", "ant"]
    tar = write_tar(tmp_path / "said.tar", members)
    found = grouped(read_photos(tar), classes, {"tench": False, "chainsaw": True, "ant": True})
    assert {kind: group.classes for kind, group in found.items()} == {
        "imagenette (of ImageNet)": [1],
        "other sets, labels that are concepts": [2],
        "other sets": [0],
    }
