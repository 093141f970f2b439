"""Faces: found in photos, grouped by whose they are, named, refused, and forgotten."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import photo_metadata as make
import pytest
from optional import needs_kill
from PIL import Image, ImageFilter
from shell import Shell
from test_regions import area, face, mwg
from videos import film

from index import Catalogue, FileStamp, NewPhoto, Region
from index.catalogue.faces import TABLES, FaceTable, FoundFace
from photosearch import Library, UsageError
from photosearch.browsing.people import people_seen
from photosearch.commands.faces import run_after_index
from photosearch.faces.grouping import grouped
from photosearch.faces.model import MODEL, FaceModel
from photosearch.faces.questions import face_questions
from photosearch.faces.run import group_faces
from photosearch.serving.face_picture import FacePicture
from photosearch.serving.library_thread import LibraryThread

AT = (0.35, 0.123, 0.178, 0.225)


@pytest.fixture(scope="module")
def astronaut(pictures: Path) -> Image.Image:
    with Image.open(pictures / "astronaut.png") as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return FaceModel()


def views(image: Image.Image) -> dict[str, Image.Image]:
    """The same face as other photos may have it: what this shows is no more than that a face is
    known again in another size, light and frame.
    """
    return {
        "half": image.resize((256, 256)),
        "larger": image.resize((1400, 1400)),
        "mirrored": image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "dark": image.point(lambda value: value * 0.4),
        "turned": image.rotate(12),
        "soft": image.filter(ImageFilter.GaussianBlur(1)),
        "framed": image.crop((60, 20, 400, 360)),
    }


@pytest.mark.slow
def test_a_face_is_found_and_known_again(model: FaceModel, astronaut: Image.Image) -> None:
    (found,) = model.faces(astronaut)
    assert found.area == pytest.approx(AT, abs=0.03)
    assert found.score > 0.9
    # Eyes above the nose, and that above the mouth.
    assert np.diff(found.landmarks[[0, 2, 3], 1]).min() > 0
    for name, image in views(astronaut).items():
        (one,) = model.faces(image)
        assert np.linalg.norm(one.vector - found.vector) < 0.35, name
    assert model.faces(Image.new("RGB", (640, 400), "gray")) == []


@pytest.mark.slow
def test_large_and_small_faces_are_found(model: FaceModel, astronaut: Image.Image) -> None:
    alone = astronaut.crop((150, 20, 300, 190))
    assert [round(one.area[3], 1) for one in model.faces(alone.resize((1500, 1700)))] == [0.7]
    # Of one that fills the picture no side is outside of it, whatever rounding does.
    cut = astronaut.crop((190, 70, 262, 180)).resize((401, 601))
    (one,) = model.faces(cut)
    left, top, width, height = one.area
    assert max(left + width, top + height) < 1.0001
    group = Image.new("RGB", (1800, 1200), "gray")
    for number in range(6):
        group.paste(astronaut.resize((260, 260)), (20 + 290 * number, 500))
    assert len(model.faces(group)) == 6


def table(people: np.ndarray, vectors: np.ndarray, photos: np.ndarray | None = None) -> FaceTable:
    count = len(vectors)
    return FaceTable(
        np.arange(1, count + 1),
        np.arange(count) if photos is None else photos,
        people.astype(np.int64),
        np.full((count, 3), 100, np.float32),
        vectors.astype(np.float32),
    )


def of_people(count: int, each: int, spread: float = 0.025) -> np.ndarray:
    """Vectors (count * each, 128) about as far apart as those of faces are."""
    rng = np.random.default_rng(1)
    middles = rng.normal(size=(count, 128))
    middles *= 1.4 / np.linalg.norm(middles, axis=1, keepdims=True)
    return np.repeat(middles, each, axis=0) + rng.normal(scale=spread, size=(count * each, 128))


def test_each_person_is_a_group_and_a_single_face_is_none() -> None:
    vectors = np.concatenate([of_people(5, 8), [[9.0] + 127 * [0.0]]])
    groups = grouped(table(np.zeros(41), vectors))
    found = [groups.get(one, 0) for one in range(1, 42)]
    assert [len(set(found[at : at + 8])) for at in range(0, 40, 8)] == [1] * 5
    assert len(set(found)) == 6
    assert found[-1] == 0


def test_who_is_in_a_group_stays_and_others_join() -> None:
    vectors = of_people(3, 6)
    known = np.repeat([7, 0, 9], 6)
    known[[1, 4, 13]] = 0
    groups = grouped(table(known, vectors))
    assert {groups[2], groups[5]} == {7}
    assert groups[14] == 9
    assert len({groups[one] for one in range(7, 13)}) == 1
    assert groups.keys() == {2, 5, 14, *range(7, 13)}
    assert groups[7] < 0
    # What was refused is not taken again, and goes nowhere else.
    assert 2 not in grouped(table(known, vectors), {(2, 7)})


def test_two_faces_of_one_photo_are_two_people() -> None:
    vectors = of_people(1, 8, 0.02)
    photos = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    groups = grouped(table(np.zeros(8), vectors, photos))
    for photo in range(4):
        both = [groups.get(photo + 1), groups.get(photo + 5)]
        assert both[0] is None or both[0] != both[1]


def numbered(tmp_path: Path, people: Sequence[int], vectors: np.ndarray) -> Catalogue:
    """A catalogue of photos with a face each, in groups by `people`, 0 for none."""
    stamp = FileStamp(1, 1)
    photos = [
        NewPhoto(f"/p/{at:03}.jpg", stamp, 90, 90, "JPEG", bytes([at // 250, at % 250]) * 16)
        for at in range(len(vectors))
    ]
    catalogue = Catalogue.open(tmp_path / "numbered")
    catalogue.record("tiny", photos, np.eye(len(photos), 8, dtype=np.float32) + 0.1)
    contents = [content for content, _ in catalogue.faces.unseen(MODEL)]
    eyes = np.zeros((5, 2), np.float32)
    catalogue.faces.put(
        MODEL,
        {
            content: [FoundFace((0.1, 0.1, 0.5, 0.5), eyes, 0.9, 90, 20, vector)]
            for content, vector in zip(contents, vectors, strict=True)
        },
    )
    catalogue.faces.assign({at + 1: -one for at, one in enumerate(people) if one})
    return catalogue


def test_an_outline_of_the_same_name_elsewhere_hides_no_face(tmp_path: Path) -> None:
    (somebody,) = of_people(1, 1)
    vectors = somebody + np.random.default_rng(1).normal(scale=0.001, size=(2, 128))
    with numbered(tmp_path, [1, 1], vectors) as catalogue:
        (group,) = catalogue.faces.groups()
        catalogue.faces.name(group.id, "Anna")
        # By another program's account she is somewhere else in the photo.
        elsewhere = Region("Anna", 0.7, 0.7, 0.2, 0.2)
        (seen,) = people_seen(catalogue.selection, 1, [elsewhere])
        assert (seen.name, seen.found, seen.face) == ("Anna", True, 1)
        assert seen.area == pytest.approx((0.1, 0.1, 0.5, 0.5))
        # One whom only the other program knows is told of as well.
        several = people_seen(
            catalogue.selection, 1, [elsewhere, Region("Ben", 0.7, 0.1, 0.2, 0.2)]
        )
        assert [(one.found, one.area is not None) for one in several] == [
            (True, True),
            (False, True),
        ]


def asked(catalogue: Catalogue) -> list[tuple[int, int, int]]:
    groups, answers = catalogue.faces.groups(), catalogue.face_answers.all()
    refused = catalogue.faces.refusals()
    found = face_questions(catalogue.faces.table(MODEL), groups, answers, refused)
    return [(one.group, one.other, one.photos) for one in found]


def test_the_question_that_names_most_photos_is_asked_first_and_answers_stay(
    tmp_path: Path,
) -> None:
    # One person in four groups (1 to 4), and another in two; all others are strangers.
    somebody, other, far = of_people(3, 1)
    near = [somebody + offset * np.eye(128)[0] for offset in (0, 0.52, -0.52, 0.53)]
    near[3] += 0.1 * np.eye(128)[1]
    middles = [*near, other, other + 0.52 * np.eye(128)[2], far]
    sizes = (6, 9, 3, 2, 5, 4, 8)
    vectors = np.repeat(middles, sizes, axis=0)
    vectors += np.random.default_rng(3).normal(scale=0.002, size=vectors.shape)
    with numbered(tmp_path, np.repeat(np.arange(1, 8), sizes).tolist(), vectors) as catalogue:
        # Groups are numbered from -7 on.
        group = {one: 8 - one for one in range(1, 8)}
        catalogue.faces.name(group[1], "Anna")
        first = asked(catalogue)
        assert first[0] == (group[1], group[2], 9)
        assert [photos for *_, photos in first] == sorted((p for *_, p in first), reverse=True)
        assert {frozenset(one[:2]) for one in first} >= {frozenset((group[5], group[6]))}

        # A yes joins, is asked no more, and is undone; nobody is asked about strangers.
        assert catalogue.face_answers.put(group[1], group[2], "yes")
        assert [one.count for one in catalogue.faces.groups() if one.name] == [15]
        assert (group[1], group[3], 3) in asked(catalogue)
        assert catalogue.face_answers.put(group[2], group[3], "no")
        # What was said of a group holds for that which it was joined to.
        assert (group[1], group[3], 3) not in asked(catalogue)
        assert catalogue.face_answers.take_back(group[2], group[1])
        assert catalogue.face_answers.take_back(group[2], group[3])
        assert asked(catalogue) == first
        assert not catalogue.face_answers.take_back(group[2], group[3])
        catalogue.face_answers.put(group[5], group[6], "unsure")
        assert not {group[5], group[6]} & {one for pair in asked(catalogue) for one in pair[:2]}
        catalogue.faces.hide(group[2], True)
        assert group[2] not in {one for pair in asked(catalogue) for one in pair[:2]}

        # What was refused as one group's stays out of it, and of that which the other becomes.
        catalogue.faces.hide(group[2], False)
        faces = catalogue.faces.table(MODEL)
        (one,) = faces.ids[faces.groups == group[2]][:1].tolist()
        catalogue.faces.name(group[2], "Berta")
        catalogue.faces.refuse([one], ["Berta"])
        catalogue.faces.name(group[2], None)
        catalogue.face_answers.put(group[1], group[2], "yes")
        held = catalogue.faces.table(MODEL).groups
        # Nor does grouping anew change what was said.
        group_faces(catalogue)
        now = catalogue.faces.table(MODEL).groups
        assert (np.delete(now, one - 1) == np.delete(held, one - 1)).all()
        assert now[one - 1] not in (group[1], group[2])


def group_of(catalogue: Catalogue, *faces: int) -> list[int]:
    table = catalogue.faces.table(MODEL)
    return [int(table.groups[table.ids == face][0]) for face in faces]


def test_what_was_refused_is_not_asked_and_strangers_stay_apart(tmp_path: Path) -> None:
    somebody = of_people(3, 4)
    with (
        numbered(tmp_path, [1] * 12, somebody) as catalogue,
        Library.open_to_read(tmp_path / "numbered") as library,
    ):
        (anna,) = library.faces.groups()
        library.faces.name(anna.id, "Anna")
        before = group_of(catalogue, *range(1, 13))
        # Two of one stranger, and one of another.
        undo = library.faces.refuse([5, 6, 9], "Anna")
        five, six, nine = group_of(catalogue, 5, 6, 9)
        assert five == six != anna.id
        assert nine == 0
        library.faces.accept(undo)
        assert group_of(catalogue, *range(1, 13)) == before
        # Those who look like Anna, and were said not to be, are not asked about.
        library.faces.refuse([1, 2], "Anna")
        other = group_of(catalogue, 1)[0]
        assert other
        assert library.faces.questions() == []
        with pytest.raises(UsageError, match=f"no face of {other} may be one of {anna.id}"):
            library.faces.answer(anna.id, other, "yes")
        # A yes that leaves some behind is not asked again.
        catalogue.faces.assign({3: other})
        library.faces.answer(anna.id, other, "yes")
        assert group_of(catalogue, 1, 2, 3) == [other, other, anna.id]
        groups, answers = catalogue.faces.groups(), catalogue.face_answers.all()
        assert face_questions(catalogue.faces.table(MODEL), groups, answers) == []


def test_an_answer_is_taken_back_whole_or_not(tmp_path: Path) -> None:
    with (
        numbered(tmp_path, [1, 1, 2, 2, 3, 3, 0], of_people(7, 1)) as catalogue,
        Library.open_to_read(tmp_path / "numbered") as library,
    ):
        faces = range(1, 8)
        before = group_of(catalogue, *faces)
        a, b, c = before[0], before[2], before[4]
        edition = library.faces.edition()
        library.faces.answer(a, b, "yes")
        library.faces.answer(c, a, "yes")
        assert library.faces.edition() != edition
        with pytest.raises(UsageError, match=f"take back {c} and {a} first"):
            library.faces.take_back(a, b)
        library.faces.take_back(c, a)
        library.faces.take_back(a, b)
        assert group_of(catalogue, *faces) == before
        assert library.faces.edition() == edition
        library.faces.name(a, "Anna")
        anna = library.faces.edition()
        library.faces.name(a, "Ben")
        assert len({library.faces.edition(), anna, edition}) == 3
        library.faces.name(a, None)
        assert library.faces.edition() == edition
        # A single face is nobody's again, and no group.
        library.faces.name(library.faces.name_face(7, "Anna"), None)
        assert group_of(catalogue, 7) == [0]
        assert {one.id for one in library.faces.groups()} == {a, b, c}


def test_a_person_is_meant_by_a_whole_name_and_what_is_ordered_is_checked_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        numbered(tmp_path, [1, 2, 3], of_people(3, 1)),
        Library.open_to_read(tmp_path / "numbered") as library,
    ):
        names = ("Anna Berger", "Anna Schmidt", "ANNA BERGER")
        for group, name in zip(library.faces.groups(), names, strict=True):
            library.faces.name(group.id, name)
        for act in (library.faces.forget_person, lambda name: library.faces.refuse([1], name)):
            with pytest.raises(UsageError, match=r"called Anna; did you mean .*Anna Schmidt"):
                act("Anna")
        library.people.group(["Anna Berger"], "Family")
        with pytest.raises(UsageError, match=r"called Family; did you mean (?i:Anna Berger)\?"):
            library.faces.forget_person("Family")
        assert library.faces.counts()[1] == 3
        assert library.faces.forget_person("anna berger") == 2

        monkeypatch.setenv("PHOTOSEARCH_FACES", "false")
        with pytest.raises(UsageError, match="PHOTOSEARCH_FACES is set"):
            library.faces.switch(True)
        assert not (library.folder / "config.toml").exists()
        monkeypatch.setenv("PHOTOSEARCH_FACES", "true")
        assert library.faces.forget() == 1
        assert (library.faces.wanted, library.faces.ordered) == (True, "PHOTOSEARCH_FACES")


def test_faces_are_left_for_later_while_another_process_has_the_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        numbered(tmp_path, [1], of_people(1, 1)),
        Library.open_to_read(tmp_path / "numbered") as library,
        Library.open_to_read(tmp_path / "numbered") as other,
    ):
        library.faces.switch(True)
        with other.writing():
            run_after_index(library, threading.Event())
        assert capsys.readouterr().err.startswith("The next run looks for faces: ")


def growing(seed: int, each: int, years: int = 11) -> np.ndarray:
    """Vectors (years * each, 128) of a child, that of the last year farther from that of the first
    than other people are.
    """
    rng = np.random.default_rng(seed)
    first, way = rng.normal(size=(2, 128))
    first, way = 1.4 * first / np.linalg.norm(first), way / np.linalg.norm(way)
    middles = [first + 0.12 * year * way for year in range(years)]
    return np.repeat(middles, each, axis=0) + rng.normal(scale=0.025, size=(years * each, 128))


def test_a_child_of_two_and_of_twelve_is_one_person(tmp_path: Path) -> None:
    children = np.concatenate([growing(seed, 6) for seed in range(3)])
    assert np.linalg.norm(children[0] - children[65]) > 1
    with numbered(tmp_path, [0] * len(children), children) as catalogue:
        group_faces(catalogue)
        found = catalogue.faces.table(MODEL).groups
        apart = [set(found[at : at + 66].tolist()) for at in (0, 66, 132)]
        # Each has several groups, of some years each, and shares none.
        assert all(len(one) > 1 for one in apart)
        assert len(set.union(*apart)) == sum(map(len, apart))
        first = int(found[0])
        catalogue.faces.name(first, "Anna")
        # Questions lead from one age to the next, and from nobody to another child.
        while questions := [one for one in asked(catalogue) if first in one[:2]]:
            assert {*questions[0][:2]} <= apart[0]
            assert catalogue.face_answers.put(questions[0][0], questions[0][1], "yes")
        assert [one.count for one in catalogue.faces.groups() if one.name == "Anna"] == [66]
        # What comes later joins, at whatever age.
        late = growing(0, 8)[[6, 7, 86, 87]]
        known = catalogue.faces.table(MODEL)
        more = table(np.append(known.groups, [0] * 4), np.concatenate([known.vectors, late]))
        joined = grouped(more)
        assert [joined.get(one) for one in range(199, 203)] == [first] * 4


@pytest.fixture
def photos(tmp_path: Path, astronaut: Image.Image) -> Path:
    """Photos of one face, one of which another program gave a name, and one of nobody."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, image in views(astronaut).items():
        image.save(folder / f"{name}.jpg", quality=95)
    astronaut.save(folder / "whole.jpg", quality=95)
    left, top, width, height = AT
    told = face("Eileen Collins", area(left + width / 2, top + height / 2, width, height))
    make.write(folder / "whole.xmp", mwg(told, size=(512, 512)))
    Image.new("RGB", (300, 200), "green").save(folder / "nobody.jpg")
    return folder


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path, photos: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        list(library.index([photos], workers=1))
        yield library


@pytest.mark.slow
def test_faces_are_found_in_any_frame_of_a_video(
    tmp_path: Path, tiny_bundle: Path, astronaut: Image.Image
) -> None:
    noise = Image.effect_noise((320, 320), 90).convert("RGB")
    face = astronaut.resize((320, 320))
    mirrored = face.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    (tmp_path / "photos").mkdir()
    film(tmp_path / "photos" / "film.mp4", [noise, noise, mirrored, face], seconds=4)
    astronaut.save(tmp_path / "photos" / "still.jpg")
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        list(library.index([tmp_path / "photos"], workers=1))
        list(library.faces.find())
        # Once in the video, whatever frames they are in, and not where it shows the noise.
        assert library.faces.counts() == (2, 2, 0)
        (group,) = library.faces.groups()
        assert (group.count, group.seconds) == (2, None)
        still, video = library.faces.examples([group.id])[group.id]
        assert still.seconds is None
        assert video.seconds is not None
        assert video.seconds >= 6
        library.faces.name(group.id, "Eileen")
        assert names(library, "person:eileen") == {"film", "still"}
        # Nobody is outlined in the frame that stands for it.
        (seen,) = library.photos.about(video.photo).people
        assert (seen.name, seen.area, seen.found) == ("Eileen", None, True)
        path = library.photos.about(video.photo).file.path
    picture = FacePicture(video.area, video.seconds).make(path, 10**8)
    with Image.open(io.BytesIO(picture.data)) as image:
        assert len(FaceModel().faces(image.resize((400, 400)))) == 1


def killed(folder: Path, shell: Shell) -> int:
    """Kill a run once it has recorded something; how many photos it had looked at."""
    query = "SELECT count(*) FROM face_scans"
    with closing(sqlite3.connect(folder / "catalogue.db")) as db:
        process = shell.start("faces", "find")
        while process.poll() is None and not db.execute(query).fetchone()[0]:
            pass
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return int(db.execute(query).fetchone()[0])


def known_of_faces(folder: Path) -> int:
    """How many rows say something of faces."""
    with closing(sqlite3.connect(folder / "catalogue.db")) as db:
        return sum(db.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in TABLES)


def names(library: Library, text: str) -> set[str]:
    return {Path(hit.path).stem for hit in library.search(text, limit=50)}


@pytest.mark.slow
@needs_kill
def test_faces_are_found_though_killed_and_named_refused_and_forgotten(
    library: Library,
    photos: Path,
    tmp_path: Path,
    shell: Shell,
    astronaut: Image.Image,
    tiny_bundle: Path,
) -> None:
    assert names(library, "people:1") == {"whole"}
    assert not library.faces.wanted
    seen_before = killed(library.folder, shell)
    done = shell("faces", "find")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Looked at {9 - seen_before} photo".encode())
    assert done.stdout.endswith(b"7 came into groups, and 0 photos could not be read.\n")
    # By the one that has a name, all are known, and nobody has to say it.
    everybody = {*views(astronaut), "whole"}
    assert names(library, "person:eileen") == names(library, "people:1") == everybody
    assert names(library, "people:0") == {"nobody"}
    (group,) = library.faces.groups()
    assert (group.name, group.count) == ("Eileen Collins", 8)
    assert library.faces.counts() == (9, 8, 8)
    whole = next(hit for hit in library.search("person:eileen", limit=50) if "whole" in hit.path)
    (seen,) = library.photos.about(whole.photo_id).people
    # Why it was found names the face, and where it is.
    (fitting,) = library.photos.why(whole.photo_id, "Eileen smiling").people
    assert (fitting.name, fitting.area) == (seen.name, seen.area)
    assert b"Eileen Collins is in it: the face 4" in shell("why", whole.path, "Eileen").stdout
    assert (seen.name, seen.area) == ("Eileen Collins", pytest.approx(AT, abs=0.03))

    # A server for other machines tells nothing of it.
    with Library.open(library.folder, model=tiny_bundle) as served:
        served.faces.keep_back()
        assert names(served, "people:1") == names(served, "person:eileen") == {"whole"}
        assert served.faces.groups() == []
        assert len(served.photos.about(whole.photo_id).people) == 1
    thread = LibraryThread(library.folder, tiny_bundle, faces=False)
    assert thread.ask_now(lambda it: it.faces.groups()) == []
    thread.close()

    # Switched on, each index run looks at what has come.
    assert shell("index").stdout.count(b"\n") == 1
    assert shell("faces", "on").returncode == 0
    assert library.faces.wanted
    astronaut.resize((300, 300)).save(photos / "late.jpg", quality=95)
    told = shell("index").stdout
    assert told.endswith(b"found 1 face; 1 came into groups, and 0 photos could not be read.\n")
    assert names(library, "person:eileen") == {*everybody, "late"}
    everybody.add("late")
    refused_by_hand = shell("faces", "off", PHOTOSEARCH_FACES="true")
    assert refused_by_hand.returncode == 2
    assert b"PHOTOSEARCH_FACES is set, and goes before what is kept" in refused_by_hand.stderr

    # Looked at once, and not again.
    assert shell("faces", "find").stdout.startswith(b"Looked at 0 photos and found 0 faces; 0 came")
    # What is refused is not taken again for what a file says of it.
    refused = library.faces.refuse(whole.photo_id, "eileen collins")
    list(library.faces.find())
    assert [one.count for one in library.faces.groups()] == [8]
    library.faces.accept(refused)
    dark = next(hit for hit in library.search("people:1", limit=50) if "dark" in hit.path)
    library.faces.accept(library.faces.refuse(dark.photo_id, "Eileen Collins"))
    assert names(library, "person:eileen") == everybody
    assert shell("faces", "not", str(dark.photo_id), "Eileen Collins").returncode == 0
    list(library.faces.find())
    assert names(library, "person:eileen") == everybody - {"dark"}
    assert names(library, "people:1") == everybody
    with pytest.raises(UsageError, match="has no face that is Eileen Collins's"):
        library.faces.refuse(dark.photo_id, "Eileen Collins")

    assert shell("faces", "name", str(group.id), "Pilot").returncode == 0
    assert "Pilot" in [one.name for one in library.people.all()]
    # Groups that may be the same are asked about, and the answer can be taken back.
    with closing(sqlite3.connect(library.folder / "catalogue.db")) as db, db:
        db.execute("INSERT INTO face_groups (id) VALUES (77)")
        db.execute("UPDATE faces SET group_id = 77 WHERE id IN (SELECT max(id) FROM faces)")
    (question,) = json.loads(shell("faces", "questions", "--json").stdout)["questions"]
    assert [question[side]["id"] for side in ("group", "other")] == [group.id, 77]
    told = shell("faces", "questions")
    assert told.stdout.endswith(b"the same? A yes names 1 photo.\n")
    assert told.stderr.startswith(b"Answer: photosearch faces answer GROUP OTHER")
    assert shell("faces", "answer", "77", str(group.id), "yes").returncode == 2
    for said, named_now in (("yes", 0), ("undo", 1), ("yes", 0)):
        assert shell("faces", "answer", str(group.id), "77", said).returncode == 0
        assert [one.name for one in library.faces.groups()].count(None) == named_now
    assert shell("faces", "questions").stderr == b"There is nothing to ask.\n"

    library.faces.hide(group.id)
    assert shell("faces", "list").stdout == b""
    told = json.loads(shell("faces", "list", "--all", "--json").stdout)
    assert (told["groups"][0]["name"], told["groups"][0]["hidden"]) == ("Pilot", True)
    with pytest.raises(UsageError, match="there is no group 99 of faces"):
        library.faces.name(99, "x")

    # Nothing of it is in what is given to others, unless it is asked for.
    for asked, kept in ((False, 0), (True, 9)):
        library.export(tmp_path / f"out{asked}", with_faces=asked)
        Library.import_from(tmp_path / f"out{asked}", tmp_path / f"in{asked}")
        with Catalogue.open(tmp_path / f"in{asked}") as catalogue:
            assert catalogue.counts().photos == 10
            assert catalogue.health.faults() == []
        with closing(sqlite3.connect(tmp_path / f"in{asked}" / "catalogue.db")) as db:
            assert db.execute("SELECT count(*) FROM faces").fetchone() == (kept,)
    # With the photos go their faces, and whose they were.
    with Library.open(tmp_path / "inTrue", model=tiny_bundle) as carried:
        carried.forget(carried.folders[0])
    assert known_of_faces(tmp_path / "inTrue") == 0

    # One person alone, who is not found again.
    shell("people", "name", str(group.id), "Guest")
    with pytest.raises(UsageError, match="nobody in this library is called Nobody"):
        library.faces.forget_person("Nobody")
    assert shell("people", "forget", "guest", "--yes").stdout == b"Forgot 8 faces of Guest.\n"
    list(library.faces.find())
    assert library.faces.counts()[1:] == (1, 0)

    # Nor are any looked for after that.
    library.faces.switch(True)
    assert shell("faces", "forget", "--yes").stdout == b"Forgot 1 face.\n"
    assert not library.faces.wanted
    assert names(library, "people:1") == {"whole"}
    assert [one.name for one in library.people.all()] == ["Eileen Collins"]
    assert known_of_faces(library.folder) == 0
