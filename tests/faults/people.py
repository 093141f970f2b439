"""Who is in photos, what is written in them and what is marked: what records that."""

from __future__ import annotations

import importlib.util
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from faults.before import marked, numbers
from faults.box import Box, Job, arguments, call
from index import Catalogue
from index.catalogue.faces import FoundFace
from photosearch import Library
from photosearch.encoders import open_encoder
from photosearch.faces.model import MODEL

_EYES = np.zeros((5, 2), np.float32)
# Two photos of one person, two of another who looks nearly the same, and one of nobody known.
_GROUPS = {"a.png": -2, "b.png": -2, "c.png": -1, "d.png": -1, "e.png": 0}
# Photos that are marked as right, and as wrong; with others so few that any search shows them all.
_MARKED = 6


def known(box: Box) -> None:
    """People by the keywords of photos."""
    marked(box)
    with Library.open(box.library, model=box.model) as library:
        photos = numbers(library)
        library.marks.tag([photos["a.png"], photos["b.png"]], add=["People|Anna"])
        library.marks.tag([photos["c.png"]], add=["People|Family|Ben"])
        library.marks.tag([photos["d.png"]], add=["People|Annie"])


def merged(box: Box) -> None:
    known(box)
    with Library.open(box.library, model=box.model) as library:
        library.people.merge(["Annie"], "Anna")


def found(box: Box) -> None:
    """Faces in two groups, one of which has a name."""
    known(box)
    dice = np.random.default_rng(2)
    looks = dice.normal(size=(3, 128)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    with Catalogue.open(box.library) as catalogue:
        contents = {Path(path).name: content for content, path in catalogue.faces.unseen(MODEL)}
        for at, name in enumerate(_GROUPS):
            near = looks[at // 2] + 0.01 * dice.normal(size=128).astype(np.float32)
            face = FoundFace((0.1, 0.1 * at, 0.5, 0.5), _EYES, 0.9, 90, 20, near)
            catalogue.faces.put(MODEL, {contents[name]: [face]})
        groups = enumerate(_GROUPS.values(), 1)
        catalogue.faces.assign({face: group for face, group in groups if group})
        catalogue.faces.name(1, "Anna")


def answered(box: Box) -> None:
    found(box)
    with Library.open(box.library, model=box.model) as library:
        library.faces.answer(1, 2, "yes")


def portraits(box: Box) -> None:
    """Photos with a face, in which nobody has looked."""
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    with Image.open(Path(spec.origin).parent / "data" / "astronaut.png") as image:
        face = image.convert("RGB").crop((150, 20, 310, 180))
    face.save(box.photos / "face.png")
    face.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(box.photos / "mirrored.png")
    marked(box)


def signs(box: Box) -> None:
    """Photos with text, which nobody has read."""
    sign = Image.new("RGB", (320, 320), "white")
    ImageDraw.Draw(sign).text((40, 120), "Hotel", fill="black", font=ImageFont.load_default(64))
    sign.save(box.photos / "sign.png")
    marked(box)


def judged(box: Box) -> None:
    """Photos like what is searched for, of two kinds, one marked as right and one as wrong."""
    dice = np.random.default_rng(4)
    for number in range(2 * _MARKED):
        pixels = dice.integers(0, 256, (4, 6, 3), np.uint8)
        Image.fromarray(pixels).save(box.photos / f"one-{number:02}.png")
    marked(box)
    encoder = open_encoder(box.model)
    query = encoder.encode_texts(["red"])[0]
    kinds = dice.normal(size=(2, encoder.dim))
    kinds /= np.linalg.norm(kinds, axis=1, keepdims=True)
    with Library.open(box.library, model=box.model) as library:
        photos = numbers(library)
    ids = [photos[name] for name in sorted(photos) if name.startswith("one-")]
    with closing(sqlite3.connect(box.library / "catalogue.db")) as db, db:
        for at, photo in enumerate(ids):
            vector = query + 0.7 * kinds[at % 2] + 0.015 * dice.normal(size=encoder.dim)
            vector = (vector / np.linalg.norm(vector)).astype(np.float16)
            db.execute(
                "UPDATE embeddings SET vector = ? "
                "WHERE content_id = (SELECT content_id FROM photos WHERE id = ?)",
                [vector.tobytes(), photo],
            )
    # Made anew of these vectors.
    shutil.rmtree(box.library / "vectors")
    with Library.open(box.library, model=box.model) as library:
        library.search("red")
        library.feedback.mark("red", ids[::2], right=True)
        library.feedback.mark("red", ids[1::2], right=False)


def tuned(box: Box) -> None:
    judged(box)
    with Library.open(box.library, model=box.model) as library:
        assert library.feedback.tune().on


def name_face(library: str, model: str) -> None:
    with Library.open(library, model=model) as opened:
        opened.faces.name_face(5, "Carl")


def _people(name: str, *given: str) -> Job:
    before = merged if name in ("split", "reset") else known
    return Job(f"people {name}", before, lambda box: arguments(box.model, "people", name, *given))


def _faces(name: str, *given: str) -> Job:
    return Job(f"faces {name}", found, lambda box: arguments(box.model, "faces", name, *given))


PEOPLE_JOBS = (
    _people("rename", "Anna", "Anna Berger"),
    _people("merge", "Annie", "Ben", "--into", "Anna"),
    _people("split", "Anna", "Annie"),
    _people("alias", "Anna", "Grandma", "Mum"),
    _people("group", "Anna", "Ben", "--in", "Family"),
    _people("hide", "Anna", "Ben"),
    _people("reset", "Anna"),
    Job(
        "faces find",
        portraits,
        lambda box: arguments(box.model, "faces", "find"),
        atomic=False,
        # What is found is in groups a little later.
        steps=True,
    ),
    _faces("on"),
    _faces("name", "2", "Carl"),
    Job("faces: name one", found, lambda box: call(name_face, box.library, box.model)),
    _faces("answer", "1", "2", "yes"),
    Job(
        "faces answer undo",
        answered,
        lambda box: arguments(box.model, "faces", "answer", "1", "2", "undo"),
    ),
    _faces("hide", "2"),
    Job(
        "faces not",
        found,
        lambda box: arguments(box.model, "faces", "not", box.photos / "a.png", "Anna"),
    ),
    Job(
        "faces forget --person",
        found,
        lambda box: arguments(box.model, "faces", "forget", "--person", "Anna", "--yes"),
    ),
    Job(
        "faces forget",
        found,
        lambda box: arguments(box.model, "faces", "forget", "--yes"),
        atomic=False,
    ),
    Job("ocr", signs, lambda box: arguments(box.model, "ocr"), atomic=False),
    Job("tune", judged, lambda box: arguments(box.model, "tune")),
    Job("tune --revert", tuned, lambda box: arguments(box.model, "tune", "--revert")),
    Job("mark --clear", judged, lambda box: arguments(box.model, "mark", "--clear", "red", "9")),
)
