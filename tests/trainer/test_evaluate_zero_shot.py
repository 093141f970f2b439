"""Zero-shot classification of folders of pictures, with a bundle that knows colours by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from colour_bundle import COLOURS, picture

from photosearch.encoders import open_encoder
from trainer.cli import main
from trainer.evaluate.measures import Measure
from trainer.evaluate.zero_shot import class_embeddings, measure_folder, openai_templates


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two pictures of each colour, three red ones, and among the green pictures a blue one."""
    for name in COLOURS:
        write(tmp_path / "colours" / name, name, name)
    write(tmp_path / "colours" / "red" / "deeper", "red")
    write(tmp_path / "colours" / "green", "blue", first=2)
    return tmp_path / "colours"


def write(folder: Path, *colours: str, first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(colours, first):
        (folder / f"{number}.png").write_bytes(picture(name))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def by_name(measures: list[Measure]) -> dict[str, Measure]:
    return {measure.figure.name: measure for measure in measures}


def test_openai_s_templates():
    templates = openai_templates()
    assert len(templates) == 80
    assert templates[0] == "a bad photo of a {c}."
    assert all(template.count("{c}") == 1 for template in templates)


def test_class_embeddings_are_the_mean_of_unit_vectors(colours):
    encoder = open_encoder(colours)
    templates = ("a {c} wall", "{c} and blue, and {green}")
    rows = class_embeddings(encoder, ["red", "black"], templates)
    for row, name in zip(rows, ("red", "black"), strict=True):
        mean = encoder.encode_texts([f"a {name} wall", f"{name} and blue, and {{green}}"]).mean(0)
        assert 0 < np.linalg.norm(mean) < 0.99  # or the test could not tell
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-6)


def test_figures_of_a_folder(colours, folder, tmp_path):
    output = tmp_path / "figures.json"
    result = run(colours, "--zero-shot", folder, "--json", output, "--batch", 4, "--quiet")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    report = json.loads(output.read_text())
    found = by_name([Measure.from_record(record) for record in report["metrics"]])
    assert set(found) == {"top-1", "top-5", "mean per-class recall"}
    for measure in found.values():
        assert measure.data == "colours"
        assert measure.task == "zero-shot, 6 classes"
        assert (measure.queries, measure.gallery) == (14, 6)
    assert found["top-1"].figure.value == pytest.approx(13 / 14)
    assert found["top-1"].figure.chance == pytest.approx(1 / 6)
    assert found["top-1"].figure.low < 13 / 14 < found["top-1"].figure.high
    assert found["mean per-class recall"].figure.value == pytest.approx((5 + 2 / 3) / 6)
    assert found["top-5"].figure.chance == pytest.approx(5 / 6)
    assert report["data"][0]["folder"] == "colours"
    assert report["data"][0]["files"] == 14
    row = next(line for line in result.stdout.splitlines() if "top-1" in line)
    assert "92.9%" in row
    assert "16.7%" in row


def test_the_hash_of_a_folder_is_of_names_and_contents(colours, folder, tmp_path):
    def digest() -> str:
        output = tmp_path / "figures.json"
        assert run(colours, "--zero-shot", folder, "--json", output, "--quiet").exit_code == 0
        return json.loads(output.read_text())["data"][0]["sha256"]

    first = digest()
    (folder / ".DS_Store").write_bytes(b"left behind")
    assert digest() == first
    (folder / "red" / "0.png").write_bytes(picture("red") + b"more")
    second = digest()
    assert second != first
    (folder / "red" / "0.png").rename(folder / "red" / "7.png")
    assert digest() not in (first, second)


class TestNames:
    def test_of_folders_have_spaces_for_underscores(self, colours, tmp_path):
        encoder = open_encoder(colours)
        asked: list[str] = []

        class Listening:
            encode_images = encoder.encode_images

            def encode_texts(self, texts):
                asked.extend(texts)
                return encoder.encode_texts(texts)

        write(tmp_path / "set" / "the_very_red", "red")
        write(tmp_path / "set" / "a_blue", "blue")
        measures = by_name(measure_folder(Listening(), tmp_path / "set"))
        assert measures["top-1"].figure.value == 1
        assert "a bad photo of a the very red." in asked
        assert not [text for text in asked if "_" in text]

    def test_come_from_a_file(self, colours, tmp_path):
        write(tmp_path / "set" / "n01", "red")
        write(tmp_path / "set" / "n02", "blue")
        names = tmp_path / "names.json"
        names.write_text(json.dumps({"n02": "blue", "n01": "red"}))
        output = tmp_path / "figures.json"
        result = run(
            colours, "--zero-shot", tmp_path / "set", "--class-names", names, "--json", output
        )
        assert result.exit_code == 0, result.output
        report = json.loads(output.read_text())
        assert report["metrics"][0]["value"] == 1
        assert [each.get("file") for each in report["data"]] == [None, "names.json"]
        # By the names of their folders, nothing can be told.
        without = by_name(measure_folder(open_encoder(colours), tmp_path / "set"))
        assert without["top-1"].figure.value == 0

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("[]", "must be a JSON object"),
            ('{"red": 1}', "must be a JSON object"),
            ('{"red": " "}', "must be a JSON object"),
            ("{", "not JSON"),
            ('{"red": "x"}', "names no class for the folder 'black'"),
            (json.dumps(dict.fromkeys([*COLOURS, "cat"], "x")), "'cat', which is no folder"),
        ],
    )
    def test_that_do_not_fit(self, colours, folder, tmp_path, content, message):
        names = tmp_path / "names.json"
        names.write_text(content)
        result = run(colours, "--zero-shot", folder, "--class-names", names)
        assert result.exit_code == 1
        assert f"{names}: " in result.stderr
        assert message in result.stderr


class TestBadFolders:
    def test_an_empty_class(self, colours, folder):
        (folder / "white").mkdir()
        result = run(colours, "--zero-shot", folder)
        assert result.exit_code == 1
        assert f"{folder}: " in result.stderr
        assert "white" in result.stderr

    def test_pictures_without_classes(self, colours, tmp_path):
        write(tmp_path / "flat", "red", "blue")
        result = run(colours, "--zero-shot", tmp_path / "flat")
        assert result.exit_code == 1
        assert "class folder" in result.stderr
        assert "flat/CLASS/*.jpg" in result.stderr

    def test_one_class(self, colours, tmp_path):
        write(tmp_path / "one" / "red", "red")
        result = run(colours, "--zero-shot", tmp_path / "one")
        assert result.exit_code == 1
        assert "holds one class, 'red'" in result.stderr

    @pytest.mark.parametrize("content", [b"", b"no picture", picture("red")[:60]])
    def test_a_picture_that_cannot_be_read(self, colours, folder, content):
        bad = folder / "red" / "9.png"
        bad.write_bytes(content)
        result = run(colours, "--zero-shot", folder, "--quiet")
        assert result.exit_code == 1
        assert f"{bad}: not a readable picture" in result.stderr
        assert result.stdout == ""

    def test_names_without_a_folder_to_name(self, colours, tmp_path):
        names = tmp_path / "names.json"
        names.write_text("{}")
        result = run(colours, "--speed", "--class-names", names)
        assert result.exit_code == 2
        assert "--class-names goes with --zero-shot" in result.stderr
