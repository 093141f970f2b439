"""A bundle's calibration: what it makes of cosines, how it is fitted, and what damage does."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tars import write_tar

from photosearch.encoders import Bundle, Calibration, bundled_path, open_encoder, write_manifest
from photosearch.errors import BundleError
from trainer.cli import main
from trainer.relevance.asked import Asked, Photos, labelled, named_things, part_of, whole_captions
from trainer.relevance.fit import fit_ratio, with_cutoffs
from trainer.relevance.measure import (
    Firsts,
    best_scores,
    f1_of,
    found_above,
    found_by,
    tells_apart,
)
from trainer.relevance.run import FITTING, SETTING

DIM = 32
RECORD = {
    "kind": "background",
    "scale": 30.0,
    "slope": 17.0,
    "weight": 6.0,
    "offset": -2.0,
    "floor": 1.0,
    "growth": 0.5,
    "sizes": [20, 500],
    "gap": 0.1,
}


def unit(rows: Any) -> Any:
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class World:
    """Photos of ten things. All share a direction, and some texts are nearer to it than others."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.common = unit(np.eye(DIM)[0])
        self.things = np.eye(DIM)[1:11]

    def photos(self, kinds: Any) -> Any:
        noise = self.random.normal(size=(len(kinds), DIM)) * 0.12
        return unit(self.common + 0.8 * self.things[kinds] + noise)

    def asked(self) -> Asked:
        kinds = self.random.integers(0, 10, 200)
        wanted = np.arange(10).repeat(4)
        near = self.random.uniform(-0.5, 1.5, len(wanted))
        texts = unit(self.things[wanted] + near[:, None] * self.common)
        shown = wanted[:, None] == kinds
        return Asked("a thing", texts, self.photos(kinds), shown, np.zeros_like(shown))

    def background(self) -> Any:
        return self.photos(self.random.integers(0, 10, 64))


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    world = World(0)
    ratio = fit_ratio([world.asked()], world.background(), 30.0)
    return with_cutoffs(ratio, [world.asked()], lost=0.1)


class TestFit:
    def test_tells_apart_what_the_cosine_does_not(self, fitted: Calibration) -> None:
        asked = World(5).asked()
        pairs = [
            best_scores(asked, scores, gallery=100)
            for scores in (asked.cosines, fitted.log_ratio(asked.texts, asked.cosines))
        ]
        raw, ratio, lead = tells_apart([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        assert raw.value < 0.85 < 0.95 < ratio.value
        assert lead.value == pytest.approx(ratio.value - raw.value)
        assert 0 < lead.low < lead.value < lead.high

    def test_returns_better_photos_than_any_flat_cosine(self, fitted: Calibration) -> None:
        asked = World(5).asked()
        flat = max(f1_of(asked, found_above(asked, at)).mean() for at in np.arange(0, 1, 0.01))
        assert f1_of(asked, found_by(asked, fitted)).mean() > flat + 0.1

    def test_loses_as_many_right_answers_as_allowed(self) -> None:
        world = World(1)
        ratio, asked = fit_ratio([world.asked()], world.background(), 30.0), world.asked()
        for share in (0.05, 0.3):
            found = with_cutoffs(ratio, [asked], lost=share)
            lost = []
            for size in found.sizes:
                logs = ratio.log_ratio(asked.texts, asked.cosines)
                there, gone = best_scores(asked, logs, gallery=size)
                lost.append((there[there > gone] < found.floor_among(size)).mean())
            assert np.mean(lost) == pytest.approx(share, abs=0.03)

    def test_a_ratio_is_of_two_chances(self) -> None:
        """Where three in four photos of a cosine show it, the ratio is three times the odds."""
        world = World(2)
        asked = world.asked()
        ratio = fit_ratio([asked], world.background(), 30.0)
        logs = ratio.log_ratio(asked.texts, asked.cosines)
        near = (logs > -0.5) & (logs < 0.5)
        # Of each query's photos, shown or not, the share that lies where both are as likely.
        of_shown = (near & asked.shown).sum() / asked.shown.sum()
        of_others = (near & ~asked.shown).sum() / (~asked.shown).sum()
        assert 0.4 < of_shown / of_others < 2.5

    def test_photos_that_say_nothing_are_refused(self) -> None:
        world = World(3)
        asked = world.asked()
        asked = Asked("a thing", -asked.texts, asked.images, asked.shown, asked.unsure)
        with pytest.raises(ValueError, match="no larger cosines"):
            fit_ratio([asked], world.background(), 30.0)


class TestCutoff:
    def test_is_where_the_ratio_is_the_floor(self, fitted: Calibration) -> None:
        text = World(7).asked().texts[:1]
        least = fitted.least(text[0], 100)
        assert fitted.log_ratio(text, np.array([[least]]))[0, 0] == pytest.approx(fitted.floor)

    def test_lies_below_the_best_but_not_below_the_least(self, fitted: Calibration) -> None:
        text = World(7).asked().texts[0]
        strict = replace(fitted, gap=0.1, slack=0.0)
        least = strict.least(text, 30)
        assert strict.cutoff(text, least + 0.2, 30) == pytest.approx(least + 0.1)
        assert strict.cutoff(text, least + 0.05, 30) == least
        assert strict.cutoff(text, least - 0.01, 30) == least

    def test_less_is_enough_once_the_best_is_found(self, fitted: Calibration) -> None:
        text = World(7).asked().texts[0]
        slack = replace(fitted, gap=0.1, slack=0.03 * fitted.slope)
        least = slack.least(text, 30)
        assert slack.cutoff(text, least + 0.2, 30) == pytest.approx(least + 0.1)
        assert slack.cutoff(text, least + 0.05, 30) == pytest.approx(least - 0.03)
        assert slack.cutoff(text, least, 30) == pytest.approx(least - 0.03)
        assert slack.cutoff(text, least - 0.01, 30) == least

    def test_right_answers_among_the_first_stay(self) -> None:
        world = World(1)
        asked = world.asked()
        ratio = fit_ratio([asked], world.background(), 30.0)
        for lost in (0.02, 0.3):
            found = with_cutoffs(ratio, [asked], lost=lost)
            assert Firsts.of(asked, found, gallery=150).kept(found) >= 1 - lost
        tight = replace(found, gap=0.01, slack=0.0)
        assert Firsts.of(asked, tight, gallery=150).kept(tight) < 0.98

    def test_grows_with_the_photos_as_far_as_that_was_measured(self, fitted: Calibration) -> None:
        text = World(7).asked().texts[0]
        growing = replace(fitted, growth=0.5)
        least = [growing.least(text, photos) for photos in (1, 20, 100, 500, 100_000)]
        assert least[0] == least[1] < least[2] < least[3] == least[4]


class Words:
    """An encoder of texts that gives every text a vector of its own."""

    def encode_texts(self, texts: Any) -> Any:
        return np.eye(len(texts), DIM, dtype=np.float32)


class TestAsked:
    def test_a_thing_is_shown_where_two_captions_name_it(self) -> None:
        captions = [["A dog.", "Two dogs run."], ["A dog.", "A hill."], ["Sand.", "A beach."]]
        metas = [{"captions": captions[number]} for number in (0, 0, 0, 1, *[2] * 6)]
        photos = Photos(np.eye(10, DIM, dtype=np.float32), metas)
        found = named_things(Words(), photos)  # type: ignore[arg-type]
        assert found.shown.tolist() == [[True] * 3 + [False] * 7]
        assert found.unsure.tolist() == [[False] * 3 + [True] + [False] * 6]

    def test_a_caption_is_answered_by_its_own_photo(self) -> None:
        metas = [{"captions": ["a", "b", "c"]}, {"captions": ["d", "e"]}]
        found = whole_captions(Words(), Photos(np.eye(2, DIM), metas), each=2)  # type: ignore[arg-type]
        assert found.shown.tolist() == [[True, False]] * 2 + [[False, True]] * 2

    def test_labels_are_split_by_their_names(self) -> None:
        names = [f"thing number {letter}" for letter in "abcdefghijklmnop"]
        metas = [{"label": name} for name in names for _ in range(2)] + [{}]
        photos = Photos(np.eye(33, DIM, dtype=np.float32), metas)
        for part in range(4):
            mine = [name for name in names if part_of(name) == part]
            found = labelled(Words(), photos, parts=[part])  # type: ignore[arg-type]
            assert found.shown.shape == (len(mine), 2 * len(mine))
            assert found.shown.sum(1).tolist() == [2] * len(mine)

    def test_a_wider_label_takes_in_a_narrower_one(self) -> None:
        metas = [{"label": name} for name in ("car", "car", "police car", "police car")]
        photos = Photos(np.eye(4, DIM, dtype=np.float32), metas)
        asked = labelled(Words(), photos, parts=range(4))  # type: ignore[arg-type]
        assert asked.shown.tolist() == [[True] * 4, [False, False, True, True]]
        assert asked.unsure.tolist() == [[False] * 4, [True, True, False, False]]


class TestBundle:
    @pytest.fixture
    def calibrated(self, bundle_copy: Path, manifest_fields: dict[str, Any]) -> Path:
        np.save(bundle_copy / "background.npy", unit(np.eye(5, DIM)).astype(np.float16))
        write_manifest(bundle_copy, manifest_fields | {"calibration": RECORD})
        return bundle_copy

    def test_brings_its_calibration(self, calibrated: Path, tiny_bundle: Path) -> None:
        found = open_encoder(calibrated).calibration
        assert found is not None
        assert (found.slope, found.gap, found.background.shape) == (17.0, 0.1, (5, DIM))
        assert open_encoder(calibrated).bundle_id == open_encoder(tiny_bundle).bundle_id
        assert open_encoder(tiny_bundle).calibration is None

    def test_with_a_changed_background_is_damaged(self, calibrated: Path) -> None:
        path = calibrated / "background.npy"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(BundleError, match=r"background\.npy: is damaged"):
            _ = open_encoder(calibrated).calibration

    @pytest.mark.parametrize("rows", [np.eye(5, 7), np.zeros((0, DIM)), np.ones(DIM)])
    def test_with_another_width_is_refused(
        self, calibrated: Path, manifest_fields: dict[str, Any], rows: Any
    ) -> None:
        np.save(calibrated / "background.npy", rows)
        bundle = write_manifest(calibrated, manifest_fields | {"calibration": RECORD})
        with pytest.raises(BundleError, match=r"background\.npy: holds"):
            _ = bundle.calibration

    def test_without_its_background_is_refused(
        self, calibrated: Path, manifest_fields: dict[str, Any]
    ) -> None:
        (calibrated / "background.npy").unlink()
        bundle = write_manifest(calibrated, manifest_fields | {"calibration": RECORD})
        with pytest.raises(BundleError, match=r"background\.npy: cannot be read"):
            _ = bundle.calibration

    @pytest.mark.parametrize("key", sorted(RECORD.keys() - {"kind"}))
    def test_lacks_no_number(
        self, calibrated: Path, manifest_fields: dict[str, Any], key: str
    ) -> None:
        lacking = {name: value for name, value in RECORD.items() if name != key}
        with pytest.raises(BundleError, match=key):
            write_manifest(calibrated, manifest_fields | {"calibration": lacking})

    def test_the_bundled_one_is_calibrated(self) -> None:
        found = Bundle.open(bundled_path()).calibration
        assert found is not None
        assert np.allclose(np.linalg.norm(found.background, axis=1), 1, atol=1e-6)


class TestCommand:
    NAMES = ("cat", "cup", "motorcycle", "rocket")
    FILES = ("chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")

    @pytest.fixture(scope="class")
    def tars(self, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
        """Makes a tar of pieces of four pictures, with what `meta` says of a piece of a name."""
        import skimage

        shipped = Path(skimage.__file__).parent / "data"
        place = tmp_path_factory.mktemp("tars")

        def make(name: str, pieces: int, meta: Callable[[str, int], dict[str, Any]]) -> Path:
            members = []
            for thing, file in zip(self.NAMES, self.FILES, strict=True):
                with Image.open(shipped / file) as opened:
                    picture = opened.convert("RGB").resize((120, 90))
                for piece in range(pieces):
                    data = io.BytesIO()
                    picture.crop((4 * piece, 2 * piece, 120, 90)).save(data, "PNG")
                    key = f"{piece}-{thing}"
                    members.append((f"{key}.png", data.getvalue()))
                    members.append((f"{key}.json", json.dumps(meta(thing, piece)).encode()))
            # Pieces of all pictures by turns.
            members.sort()
            return write_tar(place / name, members)

        return make

    @pytest.mark.slow
    def test_writes_it_into_a_bundle(self, tars: Callable[..., Path], tmp_path: Path) -> None:
        bundle = shutil.copytree(bundled_path(), tmp_path / "bundle")
        before = Bundle.open(bundle)
        captioned = tars("train.tar", 8, lambda name, n: {"captions": [f"a {name}", f"{name} {n}"]})
        checking = tars("val.tar", 3, lambda name, n: {"captions": [f"a {name}", f"the {name}"]})
        # Labels of the parts that are fitted on, and that the cut-offs are set on.
        extra = {
            name: [f"{word} {name}" for word in ("a1", "b2", "c3", "d4", "e5", "f6", "g7", "h8")]
            for name in self.NAMES
        }

        def label(name: str, piece: int) -> dict[str, Any]:
            if piece < 2:
                return {}
            parts = FITTING if piece < 5 else SETTING
            return {"label": next(one for one in extra[name] if part_of(one) in parts)}

        labels = tars("labels.tar", 8, label)
        result = CliRunner().invoke(
            main,
            [
                "calibrate", str(bundle), "--captioned", str(captioned), "--labelled", str(labels),
                "--validation", str(checking), "--background", "8", "--quiet",
            ],
        )  # fmt: skip
        assert result.exit_code == 0, result.output
        after = Bundle.open(bundle)
        assert after.id == before.id
        assert after.manifest["metrics"] == before.manifest["metrics"]
        found = after.calibration
        assert found is not None
        assert found.background.shape == (8, 384)
        assert f"{found.slope:.2f} cosine" in result.stdout
        # It tells what was there from what was not.
        encoder = open_encoder(bundle)
        with Image.open(io.BytesIO(_first_picture(captioned))) as picture:
            photo = encoder.encode_images([picture])[0]
        right, wrong = encoder.encode_texts(["a cat", "a rocket"])
        assert float(photo @ right) > found.least(right, 4)
        assert float(photo @ wrong) < found.least(wrong, 4)

    @pytest.mark.slow
    def test_too_few_photos_for_a_background(
        self, tars: Callable[..., Path], tmp_path: Path
    ) -> None:
        bundle = shutil.copytree(bundled_path(), tmp_path / "bundle")
        tar = tars("few.tar", 1, lambda name, _: {"captions": [f"a {name}"]})
        before = (bundle / "bundle.json").read_bytes()
        result = CliRunner().invoke(
            main,
            [
                "calibrate", str(bundle), "--captioned", str(tar), "--labelled", str(tar),
                "--validation", str(tar), "--quiet",
            ],
        )  # fmt: skip
        assert result.exit_code == 1
        assert "a background of 512 photos takes 256 captioned ones" in result.stderr
        assert (bundle / "bundle.json").read_bytes() == before


def _first_picture(tar: Path) -> bytes:
    from trainer.data.photo_tars import read_photos

    return next(read_photos(tar)).image_bytes
