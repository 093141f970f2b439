"""An exported bundle, opened as a teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from colour_bundle import COLOURS, DIM
from PIL import Image

from photosearch.encoders import open_encoder
from photosearch.errors import BundleError
from trainer.teachers.open import open_teacher


def test_it_places_pictures_and_texts_as_the_application_does(colours: Path) -> None:
    teacher = open_teacher(f"bundle:{colours}")
    encoder = open_encoder(colours)
    pictures = [Image.new("RGB", (50, 30), rgb) for rgb in COLOURS.values()]
    images, texts = teacher.embed_images(pictures), teacher.embed_texts(list(COLOURS))
    assert (images == encoder.encode_images(pictures)).all()
    assert (texts == encoder.encode_texts(list(COLOURS))).all()
    assert list((images @ texts.T).argmax(1)) == list(range(len(COLOURS)))
    assert (teacher.name, teacher.dim) == ("colours", DIM)
    assert teacher.digest == encoder.bundle_id


def test_nothing_is_embedded_as_nothing(colours: Path) -> None:
    teacher = open_teacher(f"bundle:{colours}")
    assert teacher.embed_images([]).shape == teacher.embed_texts([]).shape == (0, DIM)
    assert teacher.embed_texts([]).dtype == np.float32


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=str(tmp_path)):
        open_teacher(f"bundle:{tmp_path}")
    with pytest.raises(ValueError, match="bundle:FOLDER"):
        open_teacher("bundle:")
