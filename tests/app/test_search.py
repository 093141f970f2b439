"""What a search finds, beside what comparing every photo by hand finds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from known_library import Known, make_library
from PIL import Image

from photosearch import Filters, Library, UsageError
from photosearch.encoders import Encoder


class World:
    """The library, and what is known of each photo in it."""

    def __init__(self, library: Library, encoder: Encoder, known: list[Known]) -> None:
        self.library, self.encoder, self.known = library, encoder, known

    def nearest(self, text: str, holds: Callable[[Known], object]) -> list[str]:
        """Paths of all photos for which `holds`, nearest to the text first."""
        (query,) = self.encoder.encode_texts([text])
        chosen = [each for each in self.known if holds(each)]
        scores = [float(each.vector.astype(np.float32) @ query) for each in chosen]
        return [chosen[place].path for place in np.argsort(-np.array(scores), kind="stable")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> tuple[Path, list[Known]]:
    place = tmp_path_factory.mktemp("known") / "library"
    _, known = make_library(place, tiny_bundle)
    return place, known


@pytest.fixture
def world(folder: tuple[Path, list[Known]], tiny_bundle: Path) -> Iterator[World]:
    place, known = folder
    with Library.open(place, model=tiny_bundle) as library:
        yield World(library, library.models.encoder, known)


def taken(known: Known) -> str:
    return known.metadata.taken_at or ""


def place(known: Known) -> str:
    return known.metadata.place.city if known.metadata.place else ""


FILTERS: list[tuple[str, Filters, Callable[[Known], object]]] = [
    ("before:2019-03", Filters(before="2019-03"), lambda it: "2" < taken(it) < "2019-03"),
    ("after:2022", Filters(after="2022"), lambda it: taken(it) >= "2023"),
    ("on:2020-05", Filters(on="2020-05"), lambda it: taken(it).startswith("2020-05")),
    ("year:2019-2020", Filters(year="2019-2020"), lambda it: taken(it)[:4] in ("2019", "2020")),
    ("month:may", Filters(month=5), lambda it: taken(it)[5:7] == "05"),
    ("in:Italy", Filters(place="Italy"), lambda it: place(it) in ("Rome", "Ostia")),
    ("in:munchen", Filters(place="munchen"), lambda it: place(it) == "München"),
    ("near:41.9,12.5,10km", Filters(near=(41.9, 12.5, 10)), lambda it: place(it) == "Rome"),
    ("near:Munich", Filters(near="munich"), lambda it: place(it) == "München"),
    ("near:Rome,40km", Filters(near="Rome,40km"), lambda it: place(it) in ("Rome", "Ostia")),
    ("area:41,12.4,42,13", Filters(area=(41, 12.4, 42, 13)), lambda it: place(it) == "Rome"),
    ("area:41,170,42,13", Filters(area="41,170,42,13"), lambda it: place(it) in ("Rome", "Ostia")),
    ("camera:canon", Filters(camera="canon"), lambda it: "Canon" in (it.metadata.camera or "")),
    ("lens:50mm", Filters(lens="50mm"), lambda it: it.metadata.lens),
    ("folder:trips", Filters(folder="trips"), lambda it: "/trips/" in it.path),
    ("folder:art", Filters(folder="art"), lambda it: False),
    ("folder:/photos/party", Filters(folder="/photos/party"), lambda it: "/party/" in it.path),
    ("type:heic", Filters(type="heic"), lambda it: it.format == "HEIC"),
    ("type:raw type:jpg", Filters(type=["raw", "jpg"]), lambda it: it.format in ("RAW", "JPEG")),
    ("rating>=4", Filters(rating=">=4"), lambda it: (it.metadata.rating or 0) >= 4),
    ("rating:0", Filters(rating=0), lambda it: not it.metadata.rating),
    ("is:portrait", Filters(shape="portrait"), lambda it: it.height > it.width),
    ("is:landscape", Filters(shape="landscape"), lambda it: it.width > it.height),
    ("is:panorama", Filters(shape="panorama"), lambda it: it.width == 900),
    ("is:video", Filters(video=True), lambda it: it.format == "VIDEO"),
    ("-is:video", Filters(video=False), lambda it: it.format != "VIDEO"),
    ("has:gps", Filters(has_gps=True), lambda it: it.metadata.latitude is not None),
    ("-in:Rome", Filters(place="nowhere"), lambda it: place(it) != "Rome"),
    ('"img_002"', Filters(words="img_002"), lambda it: "IMG_002" in it.path),
    ('"cafe AT"', Filters(words="cafe AT"), lambda it: it.metadata.caption),
    ('"unicode"', Filters(words="unicode"), lambda it: it.metadata.keywords),
    (
        "year:2021 camera:nikon is:landscape",
        Filters(year=2021, camera="nikon", shape="landscape"),
        lambda it: taken(it)[:4] == "2021" and "NIKON" in (it.metadata.camera or "")
        and it.width > it.height,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "filters", "holds"), FILTERS, ids=[text for text, *_ in FILTERS])
@pytest.mark.slow
def test_a_filtered_search_gives_the_true_best(
    world: World, text: str, filters: Filters, holds: Callable[[Known], object]
) -> None:
    expected = world.nearest("a cat", holds)
    assert len(expected) < 400
    hits = world.library.search(f"a cat {text}", limit=7)
    assert [hit.path for hit in hits] == expected[:7]
    assert hits.total == len(expected)
    if not text.startswith("-in"):
        same = world.library.search("a cat", filters=filters, limit=7)
        assert (list(same), same.total) == (list(hits), hits.total)


def test_a_text_is_encoded_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    encode = world.encoder.encode_texts

    def counted(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return encode(texts)

    monkeypatch.setattr(world.encoder, "encode_texts", counted)
    first = world.library.search("a parrot -bananas")
    assert list(world.library.search("a parrot -bananas", offset=0)) == list(first)
    world.library.search("a parrot year:2020")
    assert sorted(asked) == ["a parrot", "bananas"]


def test_pages_go_on_to_the_last_photo(world: World) -> None:
    expected = world.nearest("a dog", lambda it: it.format == "JPEG")
    paths: list[str] = []
    while page := world.library.search("a dog type:jpeg", limit=30, offset=len(paths)):
        paths += [hit.path for hit in page]
        assert page.total == len(expected)
    assert paths == expected


def test_filters_alone_give_the_newest_first(world: World) -> None:
    hits = world.library.search("in:Rome", limit=1000)
    assert {hit.path for hit in hits} == {it.path for it in world.known if place(it) == "Rome"}
    dates = [hit.taken_at or "" for hit in hits]
    assert dates == sorted(dates, reverse=True)
    assert dates[-1] == ""
    assert {hit.score for hit in hits} == {None}
    oldest = world.library.search("in:Rome", sort="oldest", limit=5)
    assert oldest[0].taken_at == min(date for date in dates if date)


def test_by_date_the_photos_that_fit_are_put_in_order(world: World) -> None:
    hits = world.library.search("a cat", sort="newest", limit=1000)
    dates = [hit.taken_at or "" for hit in hits]
    assert dates == sorted(dates, reverse=True)
    best = {hit.path: hit.score for hit in world.library.search("a cat", limit=1000)}
    assert {hit.path: hit.score for hit in hits} == best


def test_what_should_not_be_seen_comes_later(world: World) -> None:
    cat, dog = world.encoder.encode_texts(["a cat", "a dog"])
    vectors = np.stack([it.vector.astype(np.float32) for it in world.known])
    shown = vectors @ dog
    limit = shown.mean() + shown.std()
    scores = vectors @ cat - 2 * np.maximum(0, shown - limit)
    hits = world.library.search('"IMG" a cat -"a dog"', limit=400)
    assert [hit.score for hit in hits] == pytest.approx(sorted(scores, reverse=True), abs=2e-3)
    assert [hit.score for hit in hits] != pytest.approx(sorted(vectors @ cat, reverse=True))
    few = world.library.search('a cat -"a dog"', limit=9)
    assert [hit.path for hit in few] == [hit.path for hit in hits[:9]]


def test_weights_move_the_query(world: World) -> None:
    cat, dog = world.encoder.encode_texts(["a cat", "a dog"])
    query = 3 * cat + dog
    query /= np.linalg.norm(query)
    scores = [float(it.vector.astype(np.float32) @ query) for it in world.known]
    best = world.library.search("3:a cat + a dog", limit=1)[0]
    assert best.path == world.known[int(np.argmax(scores))].path
    assert best.score == pytest.approx(max(scores), abs=1e-3)


def test_a_photo_is_most_like_itself(world: World) -> None:
    first = world.library.search("a cat", limit=1)[0]
    for text in (f"photo:{first.photo_id}", f"photo:{first.path}", first.path):
        hit = world.library.search(text, limit=1)[0]
        assert hit.path == first.path
        assert hit.score == pytest.approx(1, abs=1e-3)
    with pytest.raises(UsageError, match="photo:99999 is not in the library"):
        world.library.search("photo:99999")


def test_pictures_from_elsewhere(
    tmp_path: Path, tiny_bundle: Path, pictures: Path, photos: Path
) -> None:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        for _ in library.index([photos], workers=1):
            pass
        copy = Path(shutil.copyfile(pictures / "coffee.png", tmp_path / "other name.png"))
        data = BytesIO()
        with Image.open(copy) as image:
            image.save(data, "PNG")
            found = {
                "path": library.search(images=[copy], limit=1),
                "bytes": library.search(images=[data.getvalue()], limit=1),
                "image": library.search(images=[image], limit=1),
                "text": library.search(f'photo:"{copy}"', limit=1),
            }
        assert {Path(hits[0].path).name for hits in found.values()} == {"coffee.png"}
        assert found["path"][0].score == pytest.approx(1, abs=1e-3)
        away = library.search("-image:1", images=[copy], limit=10)
        assert Path(away[-1].path).name == "coffee.png"
        with pytest.raises(UsageError, match="not in the library"):
            library.search(f'photo:"{copy}"', files=False)
        with pytest.raises(UsageError, match="image:2 stands for"):
            library.search("image:2", images=[copy])
        with pytest.raises(UsageError, match="cannot be read"):
            library.search(images=[b"no picture"])
        with pytest.raises(UsageError, match="no such picture"):
            library.search(images=[tmp_path / "nowhere.jpg"])


@pytest.mark.parametrize(
    "asked", [{"text": "a", "offset": -1}, {"text": "a", "sort": "size"}, {"text": "+"}]
)
def test_what_makes_no_page_is_refused(world: World, asked: dict) -> None:
    with pytest.raises(UsageError):
        world.library.search(**asked)
