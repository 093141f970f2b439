"""Photos that belong together: stacks, days and events, similar ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import texts_drawn

from index import Catalogue, FileStamp, Metadata, NewPhoto, Place
from photosearch import Filters, Hit, Library, UsageError
from photosearch.encoders import open_encoder
from photosearch.looks import glance
from photosearch.search import alike

ROME = Place("Rome", "Latium", "Italy")


def turned(vector: np.ndarray, other: np.ndarray, cosine: float) -> np.ndarray:
    """A unit vector with that cosine to `vector`, in the plane of both."""
    across = other - (other @ vector) * vector
    across /= np.linalg.norm(across)
    return cosine * vector + np.sqrt(1 - cosine**2) * across


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    """Ten photos; the letter says which show the same, the number is the second of a day.

    a: a copy and its original. b: looks the same, years apart. c: a burst. d: as alike as a burst,
    but a minute apart. e: alone, the next morning.
    """
    folder = tmp_path_factory.mktemp("together") / "library"
    encoder = open_encoder(tiny_bundle)
    rng = np.random.default_rng(1)
    a, b, c, d, e, other = rng.normal(size=(6, encoder.dim))
    a, b, c, d, e = (each / np.linalg.norm(each) for each in (a, b, c, d, e))
    photos = [
        ("a1", a, b"a" * 32, "2021-05-03T10:00:00"),
        ("a2", a, b"a" * 32, "2021-05-03T10:00:00"),
        ("b1", b, b"1" * 32, "2021-05-03T12:00:00"),
        ("b2", turned(b, other, 0.985), b"2" * 32, "2023-01-01T12:00:00"),
        ("c1", c, b"3" * 32, "2021-05-03T13:00:00"),
        ("c2", turned(c, other, 0.93), b"4" * 32, "2021-05-03T13:00:02"),
        ("d1", d, b"5" * 32, "2021-05-03T14:00:00"),
        ("d2", turned(d, other, 0.93), b"6" * 32, "2021-05-03T14:01:00"),
        ("e1", e, b"7" * 32, "2021-05-04T09:00:00"),
        ("f1", -e, b"8" * 32, None),
    ]
    with Catalogue.open(folder) as catalogue:
        catalogue.record(
            encoder.bundle_id,
            [
                NewPhoto(
                    f"/photos/{name}.jpg",
                    FileStamp(1000 + 100 * number, 1),
                    400,
                    300,
                    "JPEG",
                    digest,
                    Metadata(
                        taken_at=taken,
                        taken_source="exif" if taken else None,
                        camera="Canon",
                        place=ROME,
                    ),
                    look=glance(texts_drawn.screen(name[0]), 1080, 2400).packed(),
                )
                for number, (name, _, digest, taken) in enumerate(photos)
            ],
            np.stack([vector for _, vector, _, _ in photos]),
        )
    return folder


@pytest.fixture
def library(place: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(place, model=tiny_bundle) as library:
        yield library


def name(path: str) -> str:
    return Path(path).stem


def stacks(hits: list[Hit]) -> set[str]:
    return {
        "".join(sorted([name(hit.path), *(name(it.path) for it in hit.others)])) for hit in hits
    }


STACKS = {"a1a2", "b1b2", "c1c2", "d1", "d2", "e1", "f1"}


@pytest.mark.parametrize("text", ["a cat", "after:2000", "in:Rome"])
def test_copies_and_bursts_are_one_hit(library: Library, text: str) -> None:
    hits = library.search(text, collapse=True)
    assert stacks(hits) == (STACKS if text != "after:2000" else STACKS - {"f1"})
    assert (hits.total, hits.more) == (9 if text == "after:2000" else 10, False)
    for hit in hits:
        assert all((other.score or 0) <= (hit.score or 0) for other in hit.others)
    assert stacks(library.search(text)) == {
        name(hit.path) for hit in library.search(text, limit=100)
    }


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
@pytest.mark.parametrize("group", [None, "day", "event"])
def test_pages_of_stacks_leave_nothing_out(library: Library, sort, group) -> None:  # type: ignore[no-untyped-def]
    view = {"sort": sort, "group": group, "collapse": True}
    every = library.search("a cat", limit=50, **view)
    paged: list[Hit] = []
    more = True
    while more:
        page = library.search("a cat", limit=3, offset=len(paged), **view)
        paged += page
        more = page.more
    assert [hit.path for hit in paged] == [hit.path for hit in every]
    assert stacks(every) == STACKS


def test_days_and_events(library: Library) -> None:
    days = library.search("a cat", sort="oldest", group="day").groups
    assert [group.title for group, _ in days] == [
        "2021-05-03, Rome",
        "2021-05-04, Rome",
        "2023-01-01, Rome",
        "",
    ]
    assert [len(hits) for _, hits in days] == [7, 1, 1, 1]
    best = [hit.path for hit in library.search("a cat")]
    groups = library.search("a cat", group="event").groups
    firsts = [best.index(hits[0].path) for _, hits in groups]
    assert firsts == sorted(firsts)
    assert len({group.key for group, _ in groups}) == len(groups) == 4


def test_an_event_goes_on_past_midnight_and_ends_far_away(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    encoder = open_encoder(tiny_bundle)
    taken = [
        ("2021-05-03T23:30:00", 41.9, 12.5),
        ("2021-05-04T01:10:00", 41.9, 12.5),
        ("2021-05-04T03:10:00", 48.1, 11.6),
        ("2021-05-04T10:10:00", 48.1, 11.6),
    ]
    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.record(
            encoder.bundle_id,
            [
                NewPhoto(
                    f"/{number}.jpg",
                    FileStamp(number, 1),
                    4,
                    3,
                    "JPEG",
                    bytes([number]) * 32,
                    Metadata(taken_at=when, latitude=north, longitude=east),
                )
                for number, (when, north, east) in enumerate(taken)
            ],
            np.eye(4, encoder.dim),
        )
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        groups = library.search("type:jpeg", sort="oldest", group="event").groups
        assert [[name(hit.path) for hit in hits] for _, hits in groups] == [
            ["0", "1"],
            ["2"],
            ["3"],
        ]
        assert groups[0][0].title == "2021-05-03 to 2021-05-04"


def test_similar_photos_leave_out_the_one_asked_for(library: Library) -> None:
    (a1,) = (hit for hit in library.search("a cat") if name(hit.path) == "a1")
    for photo in (a1.photo_id, a1.path):
        hits = library.photos.similar(photo)
        assert name(hits[0].path) == "a2"
        assert hits.total == len(hits) == 9
    assert [name(hit.path) for hit in library.photos.similar(a1.photo_id, limit=2, offset=1)] == [
        name(hit.path) for hit in hits[1:3]
    ]
    only = library.photos.similar(a1.photo_id, filters=Filters(on="2021-05-04"))
    assert [name(hit.path) for hit in only] == ["e1"]
    with pytest.raises(UsageError, match="not in the library"):
        library.photos.similar(4711)


@pytest.mark.parametrize(
    ("head", "similarity", "least"), [(32, 0.97, 100), (3, 0.97, 100), (3, 0.8, 100), (3, 0.5, 1)]
)
def test_alike_are_those_of_comparing_each_with_each(
    monkeypatch: pytest.MonkeyPatch, head: int, similarity: float, least: int
) -> None:
    """However few directions tell most of them apart at first."""
    monkeypatch.setattr(alike, "_HEAD", head)
    monkeypatch.setattr(alike, "_ACROSS", 1000)
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(900, 32))
    vectors = np.concatenate([centres + 0.12 * rng.normal(size=centres.shape) for _ in range(3)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    stored = vectors.astype(np.float16)
    unit = stored.astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines = unit @ unit.T
    ones, others = np.nonzero(np.triu(cosines, 1) >= similarity)
    assert len(ones) >= least
    found = {(one, other): cosine for one, other, cosine in alike.pairs(stored, similarity)}
    expected = set(zip(ones.tolist(), others.tolist(), strict=True))
    # Rounding decides about those that are just as similar.
    assert all(abs(cosines[pair] - similarity) < 1e-5 for pair in expected ^ found.keys())
    for pair in expected & found.keys():
        assert found[pair] == pytest.approx(float(cosines[pair]), abs=1e-4)


def test_saved_searches(tmp_path: Path, tiny_bundle: Path) -> None:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        library.saved.add("Summer", "beach last summer", sort="newest")
        library.saved.add("best", "rating>=4")
        library.saved.add("summer", "sea last summer")
        assert [(it.name, it.text, it.sort) for it in library.saved.all()] == [
            ("best", "rating>=4", "relevance"),
            ("summer", "sea last summer", "relevance"),
        ]
        assert library.saved.get("SUMMER").text == "sea last summer"
        library.saved.remove("Best")
        with pytest.raises(UsageError, match="known: summer"):
            library.saved.get("best")
        for wrong in ({"text": "befor:2021"}, {"text": " "}, {"text": "a", "sort": "size"}):
            with pytest.raises(UsageError):
                library.saved.add("wrong", **wrong)
        with pytest.raises(UsageError, match="name"):
            library.saved.add(" ", "a cat")
