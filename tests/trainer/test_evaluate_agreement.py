"""Agreement with teachers: by hand, by scipy on whole lists, and with a real open_clip model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from colour_bundle import COLOURS, colour_tar, right
from scipy.stats import kendalltau, spearmanr
from tiny_openclip import write_folder

from photosearch.encoders import open_encoder
from trainer.cli import main
from trainer.data.photo_tars import PhotoTarError, decode, read_photos
from trainer.evaluate.agreement import cosine_agreement, image_agreement, rank_agreement
from trainer.evaluate.measures import Measure
from trainer.teachers.open import open_teacher


class ItsOwnTeacher:
    """The bundle itself, as a teacher: nobody agrees with it more."""

    name = "itself"
    logit_scale = 100.0
    digest = "0"

    def __init__(self, folder: Path) -> None:
        self._encoder = open_encoder(folder)
        self.dim = self._encoder.dim

    def embed_images(self, images):
        return self._encoder.encode_images(images)

    def embed_texts(self, texts):
        return self._encoder.encode_texts(texts)


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def figures(measures: list[Measure]) -> dict[tuple[str, str], Measure]:
    return {(measure.task, measure.figure.name): measure for measure in measures}


class TestRanks:
    def test_of_captions_against_scipy(self):
        rng = np.random.default_rng(1)
        photos, owners = 12, np.repeat(np.arange(12), 2)
        ours = unit(rng.normal(size=(24, 5))), unit(rng.normal(size=(photos, 5)))
        theirs = unit(rng.normal(size=(24, 9))), unit(rng.normal(size=(photos, 9)))
        rho, tau = rank_agreement(ours, theirs, owners)
        lists = list(zip(ours[0] @ ours[1].T, theirs[0] @ theirs[1].T, strict=True))
        assert rho.value == pytest.approx(np.mean([spearmanr(*each).statistic for each in lists]))
        assert tau.value == pytest.approx(np.mean([kendalltau(*each).statistic for each in lists]))
        assert rho.chance == tau.chance == 0
        assert rho.low < rho.value < rho.high

    def test_of_photos_leave_each_out_of_its_own_list(self, monkeypatch):
        monkeypatch.setattr("trainer.evaluate.agreement._QUERIES_AT_ONCE", 4)
        rng = np.random.default_rng(2)
        ours, theirs = unit(rng.normal(size=(11, 4))), unit(rng.normal(size=(11, 6)))
        rho, _ = rank_agreement((ours, ours), (theirs, theirs))
        values = []
        for photo in range(11):
            others = np.arange(11) != photo
            mine = (ours @ ours.T)[photo, others]
            values.append(spearmanr(mine, (theirs @ theirs.T)[photo, others]).statistic)
        assert rho.value == pytest.approx(np.mean(values))

    def test_do_not_change_under_a_rotation_and_are_zero_by_chance(self):
        rng = np.random.default_rng(3)
        ours = unit(rng.normal(size=(60, 8)))
        rotation = np.linalg.qr(rng.normal(size=(8, 8)))[0]
        turned = unit(ours @ rotation)
        assert rank_agreement((ours, ours), (turned, turned))[0].value > 0.999
        assert abs(cosine_agreement(ours, turned).value) < 0.9  # which the cosine does
        other = unit(rng.normal(size=(60, 8)))
        for figure in rank_agreement((ours, ours), (other, other)):
            assert figure.value == pytest.approx(0, abs=0.1)

    def test_a_collapsed_encoder_agrees_with_nobody(self):
        rng = np.random.default_rng(4)
        ours, one = unit(rng.normal(size=(9, 4))), np.eye(4)[[0] * 9]
        rho, tau = rank_agreement((ours, ours), (one, one))
        assert (rho.value, tau.value) == (0, 0)

    def test_intervals_are_of_photos_rather_than_captions(self):
        rng = np.random.default_rng(5)
        gallery, theirs = unit(rng.normal(size=(40, 6))), unit(rng.normal(size=(40, 6)))
        once = rank_agreement((gallery, gallery), (theirs, theirs), np.arange(40))
        many = gallery.repeat(4, 0), theirs.repeat(4, 0)
        five = rank_agreement((many[0], gallery), (many[1], theirs), np.arange(40).repeat(4))
        assert five[0].low == pytest.approx(once[0].low)
        assert five[0].high == pytest.approx(once[0].high)

    def test_what_does_not_fit(self):
        with pytest.raises(ValueError, match="must be the same"):
            rank_agreement((np.eye(3), np.eye(3)), (np.eye(3)[:2], np.eye(3)))
        with pytest.raises(ValueError, match="at least two photos"):
            rank_agreement((np.eye(2), np.eye(2)), (np.eye(2), np.eye(2)))


class TestImages:
    def test_with_itself_is_whole(self, colours, tmp_path):
        tar = colour_tar(tmp_path / "t.tar", right(*COLOURS))
        measures = image_agreement(open_encoder(colours), ItsOwnTeacher(colours), [tar], batch=4)
        found = figures(measures)
        assert len(found) == 5
        for measure in measures:
            assert measure.figure.value == pytest.approx(1), measure
            assert measure.data == "t.tar"
        cosine = found["image tower against itself", "cosine"]
        assert cosine.figure.chance < 0.2
        assert (cosine.queries, cosine.gallery) == (6, None)
        photos = found["photos like a photo, against itself", "Spearman"]
        assert (photos.queries, photos.gallery) == (6, 5)
        captions = found["photos like a caption, against itself", "Kendall"]
        assert (captions.queries, captions.gallery) == (12, 6)

    def test_without_captions_there_is_no_text_to_compare(self, colours, tmp_path):
        captions = right(*COLOURS) | {"red": []}
        tar = colour_tar(tmp_path / "t.tar", captions)
        measures = image_agreement(open_encoder(colours), ItsOwnTeacher(colours), [tar])
        assert {measure.task for measure in measures} == {
            "image tower against itself",
            "photos like a photo, against itself",
        }

    def test_no_photos(self, colours, tmp_path):
        tar = colour_tar(tmp_path / "t.tar", {})
        with pytest.raises(PhotoTarError, match=r"t\.tar: holds no photos"):
            image_agreement(open_encoder(colours), ItsOwnTeacher(colours), [tar])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


class TestCommand:
    @pytest.mark.slow
    def test_against_an_open_clip_model_of_another_dimension(self, colours, tmp_path):
        spec = f"openclip:local-dir:{write_folder(tmp_path / 'tiny')}"
        tar = colour_tar(tmp_path / "t.tar", right(*COLOURS))
        output = tmp_path / "figures.json"
        result = run(
            colours, "--image-agreement", tar, "--teacher", spec, "--json", output, "--quiet"
        )
        assert result.exit_code == 0, result.output
        measures = map(Measure.from_record, json.loads(output.read_text())["metrics"])
        found = figures(list(measures))
        # 384 and 16 numbers: no cosine to speak of.
        assert {name for _, name in found} == {"Spearman", "Kendall"}
        teacher = open_teacher(spec)
        pictures = [decode(sample) for sample in read_photos(tar)]
        ours, theirs = open_encoder(colours).encode_images(pictures), teacher.embed_images(pictures)
        expected = rank_agreement((ours, ours), (theirs, theirs))[0]
        task = f"photos like a photo, against {teacher.name}"
        assert found[task, "Spearman"].figure.value == pytest.approx(expected.value)

    def test_a_teacher_that_cannot_be_had(self, colours, tmp_path):
        tar = colour_tar(tmp_path / "t.tar", right(*COLOURS))
        result = run(colours, "--image-agreement", tar, "--teacher", "nobody:here")
        assert result.exit_code == 1
        assert "no teacher 'nobody:here'" in result.stderr

    def test_photos_and_teacher_go_together(self, colours, tmp_path):
        tar = colour_tar(tmp_path / "t.tar", right("red"))
        assert run(colours, "--image-agreement", tar).exit_code == 2
        alone = run(colours, "--captioned", tar, "--teacher", "openclip:x:y")
        assert alone.exit_code == 2
        assert "--teacher goes with --image-agreement" in alone.stderr
