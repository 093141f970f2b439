"""Cut-offs that a library fits for a model that brings none, on photos without labels."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from catalogue_data import new_photos, unit_vectors
from click.testing import CliRunner

from index import Catalogue
from photosearch import Library
from photosearch.calibrating.carried import Lie, carried
from photosearch.calibrating.fitting import FEWEST, bank, is_due
from photosearch.calibrating.own import OwnCalibrations
from photosearch.cli import main
from photosearch.encoders import Bundle, Calibration, bundled_path, open_encoder, write_manifest
from photosearch.model_choice import ModelChoice

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def known() -> Calibration:
    """That of the bundled model, and with it vectors of real photos."""
    found = Bundle.open(bundled_path(), verify=False).calibration
    assert found is not None
    return found


@pytest.fixture(scope="module")
def texts() -> np.ndarray:
    return open_encoder(bundled_path()).encode_texts(bank())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model without its calibration."""
    folder = tmp_path_factory.mktemp("bare") / "bare"
    shutil.copytree(bundled_path(), folder)
    (folder / "background.npy").unlink()
    fields = Bundle.open(bundled_path()).fields
    write_manifest(folder, fields | {"name": "bare", "calibration": None})
    return folder


@pytest.fixture
def library(tmp_path: Path, bare: Path, known: Calibration) -> Path:
    """A library of photos whose vectors the bare model has made."""
    place = tmp_path / "library"
    bundle = Bundle.open(bare)
    with Library.open(place) as opened:
        opened.models.use(bare)
    with Catalogue.open(place) as catalogue:
        count = len(known.background)
        catalogue.record(bundle.id, new_photos(count), known.background)
    return place


def fit(library: Path, stop: threading.Event | None = None) -> None:
    with Catalogue.open(library) as catalogue:
        choice = ModelChoice(catalogue, None)
        choice.calibrate(choice.wanted(), stop)


def test_it_is_fitted_used_and_told_of(library: Path, bare: Path, known: Calibration) -> None:
    bundle_id = Bundle.open(bare).id
    absent = "people playing football"
    with Library.open(library) as opened:
        assert opened.search("a dog").cutoff is None
        assert opened.status().cutoffs is None
    stopped = threading.Event()
    stopped.set()
    fit(library, stopped)
    assert OwnCalibrations(library).photos(bundle_id) == 0

    fit(library)
    with Library.open(library) as opened:
        hits = opened.search("a dog")
        assert hits.cutoff is not None
        assert 0 < hits.total < len(known.background)
        assert opened.search(absent, everything=True).cutoff is None
        told = opened.status().cutoffs
        assert told is not None
        assert (told.source, told.photos) == ("photos", len(known.background))
        (model,) = [one for one in opened.models.all() if one.name == "bare"]
        assert model.cutoffs == told
    found = OwnCalibrations(library).of(bundle_id)
    assert found is not None
    # The same model, and the same photos: what labels had said comes out again.
    for one, other in (
        (found.scale, known.scale),
        (found.slope, known.slope),
        (found.weight, known.weight),
        (found.offset, known.offset),
        (found.gap, known.gap),
    ):
        assert one == pytest.approx(other, rel=0.02)

    run = CliRunner().invoke(main, ["--library", str(library), "status"])
    assert f"fitted on {len(known.background)} photos of yours, without labels" in run.output
    run = CliRunner().invoke(main, ["--library", str(library), "status", "--json"])
    assert json.loads(run.output)["cutoffs"] == {"source": "photos", "photos": 512}

    with Library.open(library) as opened:
        opened.models.use("mobileclip-small", at_once=True)
        opened.models.remove("bare")
    assert list((library / "calibrations").iterdir()) == []


def test_it_is_fitted_once_and_again_in_a_library_that_has_grown(
    tmp_path: Path, tiny_bundle: Path, known: Calibration
) -> None:
    encoder = open_encoder(tiny_bundle)
    own = OwnCalibrations(tmp_path)

    def due(photos: int) -> bool:
        there = catalogue.embedding_count(encoder.bundle_id)
        new = new_photos(photos - there, start=there)
        catalogue.record(encoder.bundle_id, new, unit_vectors(len(new), encoder.dim))
        return is_due(catalogue, encoder, own)

    with Catalogue.open(tmp_path) as catalogue:
        assert not due(FEWEST - 1)
        assert due(FEWEST)
        own.keep(encoder.bundle_id, known, FEWEST)
        assert own.photos(encoder.bundle_id) == FEWEST
        assert not due(FEWEST + 50)
        assert due(2 * FEWEST)
        # What brings one is asked for none.
        assert not is_due(catalogue, open_encoder(bundled_path()), own)
    with Catalogue.open(tmp_path, readonly=True) as catalogue:
        assert not is_due(catalogue, encoder, own)
    (tmp_path / "calibrations" / f"{encoder.bundle_id}.npz").write_bytes(b"damaged")
    assert own.of(encoder.bundle_id) is None


def test_it_does_not_matter_how_large_cosines_are(known: Calibration, texts: np.ndarray) -> None:
    """As those of another model, which lie around another zero and closer together."""

    def moved(vectors: np.ndarray, last: float) -> np.ndarray:
        wide = np.concatenate([0.5 * vectors, np.full((len(vectors), 1), last)], axis=1)
        return (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)

    photos, words = moved(known.background, 0.6), moved(texts, 0.7)
    found = carried(known, texts, photos, words)
    assert found is not None
    ratios = known.log_ratio(texts, texts @ known.background.T)
    np.testing.assert_allclose(found.log_ratio(words, words @ photos.T), ratios, atol=0.05)
    for text, word in zip(texts[:20], words[:20], strict=True):
        shown = known.cutoff(text, float((known.background @ text).max()), 512)
        now = found.cutoff(word, float((photos @ word).max()), 512)
        assert ((known.background @ text) >= shown).sum() == ((photos @ word) >= now).sum()


def test_vectors_that_mean_nothing_get_no_cutoffs(known: Calibration, texts: np.ndarray) -> None:
    dim = texts.shape[1]
    photos = unit_vectors(500, dim)
    assert carried(known, texts, photos, unit_vectors(len(texts), dim, seed=1)) is None
    assert not Lie.of(photos, texts).means_something
    assert not Lie.of(np.tile(photos[:1], (300, 1)), texts).means_something
    assert Lie.of(known.background, texts).means_something


def test_the_bank_has_each_text_once() -> None:
    found = bank()
    assert len(set(found)) == len(found) > 300
    assert all(text == text.strip() and text for text in found)
