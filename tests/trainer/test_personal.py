"""A small model taught on the photos of a library: what it learns from, and how it is measured."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from colour_bundle import COLOURS, write_bundle
from PIL import Image

from photosearch import Library
from photosearch.encoders import open_encoder
from trainer.captioners.open import open_captioner
from trainer.personal import run as personal
from trainer.personal.agreement import agreement
from trainer.personal.bank import make_bank
from trainer.personal.judged import calibrate_by
from trainer.personal.library import read_library
from trainer.personal.run import Wanted
from trainer.personal.shrunk import SIDE, shards_of

pytestmark = pytest.mark.slow
NAMES = ("red", "green", "blue")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three large photos, a copy of one, and a file that is no picture."""
    place = tmp_path_factory.mktemp("personal")
    write_bundle(place / "teacher")
    (place / "photos").mkdir()
    for name in NAMES:
        Image.new("RGB", (900, 600), COLOURS[name]).save(place / "photos" / f"{name}.jpg")
    shutil.copyfile(place / "photos/red.jpg", place / "photos/copy.jpg")
    (place / "photos/broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    with Library.open(place / "library", model=place / "teacher") as library:
        for _ in library.index([place / "photos"], workers=1):
            pass
        (photo,) = [one for one in library.photos.browse() if one.path.endswith("green.jpg")]
        library.marks.tag([photo.id], add=["Lido"])
        library.saved.add("reds", "red roofs before:2030")
    return place


def test_a_library_gives_each_photo_once_and_the_words_of_its_owner(place: Path) -> None:
    found = read_library(place / "library")
    assert len(found.photos) == len(NAMES)
    assert found == read_library(place / "library")
    assert read_library(place / "library", 2).photos == found.photos[:2]
    assert found.words == ("Lido",)
    assert found.searches == ("red roofs",)
    with pytest.raises(ValueError, match="no library here"):
        read_library(place / "photos")


def test_shards_hold_small_copies_of_photos_that_stay(place: Path) -> None:
    photos = read_library(place / "library").photos
    before = {path: path.read_bytes() for path in (place / "photos").iterdir()}
    one, two = shards_of(photos, 2)
    assert (one.count(), two.count()) == (2, 1)
    (sample,) = two.samples()
    with Image.open(io.BytesIO(sample.image_bytes)) as small:
        assert small.size == (SIDE * 3 // 2, SIDE)
    assert {path: path.read_bytes() for path in (place / "photos").iterdir()} == before
    # A photo that is gone is left out; which photos are meant stays the same.
    gone = [type(photo)(f"{photo.path}.gone", photo.digest) for photo in photos]
    (away,) = shards_of(gone, 3)
    assert list(away.samples()) == []
    (there,) = shards_of(photos, 3)
    assert away.digest() == there.digest() != one.digest()


def test_a_bundle_chooses_captions_from_a_bank(place: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"a {name} wall\n" for name in NAMES))
    captioner = open_captioner(f"bank:{texts}:{place / 'teacher'}")
    pictures = [Image.new("RGB", (40, 30), COLOURS[name]) for name in NAMES]
    written = captioner.caption(pictures, [{}] * 3, list(NAMES), 2)
    assert [first for first, _ in written] == [f"a {name} wall" for name in NAMES]
    assert captioner.caption([], [], [], 2) == []
    texts.write_text("\n")
    with pytest.raises(ValueError, match="holds no texts"):
        open_captioner(f"bank:{texts}:{place / 'teacher'}")


def test_a_bank_holds_texts_out_that_are_not_taught() -> None:
    bank = make_bank(["Lido"], ["red roofs"], ["what somebody wrote"], least=99)
    every = {*bank.texts, *bank.held_out}
    assert {"Lido", "a Lido", "red roofs", "what somebody wrote", "a photo of a dog"} <= every
    assert not {*bank.texts, *bank.names} & {*bank.held_out}
    assert 0.05 < len(bank.held_out) / len(every) < 0.15
    assert make_bank([], [], least=99).texts == make_bank([], [], least=99).texts


def test_a_run_goes_on_with_what_it_began_with(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wanted(**changed: object) -> Wanted:
        given = {"library": place / "library", "teacher": place / "teacher", "out": tmp_path}
        return Wanted(**{**given, "languages": 99, **changed})  # type: ignore[arg-type]

    with pytest.raises(ValueError, match="3 photos are too few"):
        personal._begin(wanted(), "teacher")
    monkeypatch.setattr(personal, "_FEWEST", 2)
    begun = personal._begin(wanted(), "teacher")
    with Library.open(place / "library", model=place / "teacher") as library:
        library.saved.add("more", "a boat")
        assert personal._begin(wanted(workers=4), "teacher") == begun
        library.saved.remove("more")
    with pytest.raises(ValueError, match="views was 3 and is 9"):
        personal._begin(wanted(views=9), "teacher")
    with pytest.raises(ValueError, match="teacher was 'teacher'"):
        personal._begin(wanted(), "another")


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def test_agreement_is_whole_with_oneself_and_chance_with_a_stranger() -> None:
    random = np.random.default_rng(0)
    images, texts = (unit(random.normal(size=(count, 32))) for count in (200, 300))
    same = agreement((images, texts), (images, texts))
    assert (same.found, same.best) == (1, 1)
    assert same.image == pytest.approx(1, abs=1e-5)
    strange = agreement((unit(random.normal(size=(200, 32))), texts), (images, texts))
    assert strange.chance == 0.05
    assert strange.found == pytest.approx(0.05, abs=0.02)
    assert abs(strange.image) < 0.1
    with pytest.raises(ValueError, match="too few"):
        agreement((images[:10], texts), (images[:10], texts))


def test_a_teacher_calibrates_where_nobody_has_labelled(place: Path) -> None:
    random = np.random.default_rng(1)
    kinds = unit(random.normal(size=(40, 48)))
    common = unit(random.normal(size=48))
    shown = random.integers(0, 40, 600)
    photos = unit(kinds[shown] + common + 0.05 * random.normal(size=(600, 48)))
    texts = unit(kinds + 0.3 * common)
    theirs = photos, texts
    ours = tuple(unit(part + 0.02 * random.normal(size=part.shape)) for part in theirs)
    teacher = open_encoder(place / "teacher")
    found = calibrate_by(teacher, theirs, (ours[0], ours[1])).calibration
    right = ours[1][shown[500]] @ ours[0][500]
    wrong = ours[1][(shown[500] + 1) % 40] @ ours[0][500]
    assert right > found.lowest(found.least(ours[1][shown[500]], 300)) > wrong
    same = np.repeat(photos[:1], 600, axis=0)
    with pytest.raises(ValueError, match="finds only 0 of the texts"):
        calibrate_by(teacher, (same, texts), (same, texts))
