"""Searches in other languages, from what was typed to the photos, with the bundled model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fastjsonschema
import numpy as np
import pytest
from bundled_library import index_bundled
from bundles import change
from shell import Shell

import photosearch.search
from photosearch import Library
from photosearch.encoders import Bundle, bundled_path, open_encoder
from photosearch.encoders.bundle import CLIP_BPE
from photosearch.errors import BundleError
from photosearch.search.glossed import glossed
from photosearch.search.parse import parse
from photosearch.search.query import Described, Query, QueryError
from photosearch.search.report import report, understood

pytestmark = pytest.mark.slow

ENGLISH = frozenset({"en"})
NAMES = ("chelsea.png", "coffee.png", "rocket.jpg")


def read(text: str, locale: str = "en", known: frozenset[str] | None = ENGLISH) -> Query:
    return glossed(parse(text), locale, known)


def texts(query: Query) -> list[tuple[tuple[str, float], ...]]:
    return [term.content.weighed for term in query.terms if isinstance(term.content, Described)]


def chips(query: Query) -> list[tuple[str, str, str]]:
    return [(part.kind, part.meaning, part.read_as) for part in query.parts]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """A library of a cat, a cup and a rocket."""
    place = tmp_path_factory.mktemp("glosses")
    (place / "photos").mkdir()
    for name in NAMES:
        shutil.copyfile(pictures / name, place / "photos" / name)
    return index_bundled(place)


@pytest.fixture(scope="module")
def library(place: Path) -> Iterator[Library]:
    with Library.open(place / "library", model=bundled_path()) as library:
        yield library


def test_each_term_is_read_as_english_and_its_chip_says_so() -> None:
    query = read("Hund am Strand -Regenschirm before:2021")
    assert texts(query) == [(("dog at the beach", 1.0),), (("umbrella", 1.0),)]
    assert chips(query)[:2] == [
        ("like", "Hund am Strand", "dog at the beach"),
        ("unlike", "Regenschirm", "umbrella"),
    ]
    assert query.parts[2].name == "before"
    assert query.parts[2].read_as == ""


def test_all_words_of_a_query_are_in_one_language() -> None:
    """The hat is German as the other words are."""
    assert texts(read("Strand und Meer -Hut"))[1] == (("hat", 1.0),)
    assert texts(read("hut"))[0] == (("hut", 1.0),)


def test_english_and_what_is_no_description_stay() -> None:
    for text in ("a dog on the beach -people", "photo:1", "before:2021", '"Fahrrad"', ""):
        query = parse(text)
        assert glossed(query, "en", ENGLISH) == query


def test_words_may_say_their_language() -> None:
    assert texts(read("en:Fahrrad")) == [(("Fahrrad", 1.0),)]
    assert texts(read("de:gift"))[0][0] == ("poison", 1.0)
    assert texts(read('de:"im Schnee"')) == [(("in the snow", 1.0),)]
    assert texts(read("gift", "de"))[0][0] == ("poison", 1.0)
    assert texts(read("en:gift", "de")) == [(("gift", 1.0),)]
    # Beside others they are of one description.
    assert texts(read('a fr:chat on en:"Fahrrad"')) == [(("a cat on Fahrrad", 1.0),)]
    assert texts(read("FR:chat")) == [(("cat", 1.0),)]


def test_a_language_goes_with_signs_and_weights() -> None:
    query = read('2:de:Hund -fr:"un chat"')
    assert [term.weight for term in query.terms] == [2.0, -1.0]
    assert texts(query) == [(("dog", 1.0),), (("a cat", 1.0),)]
    assert [(part.start, part.end, part.language) for part in query.parts] == [
        (0, 9, "de"),
        (10, 23, "fr"),
    ]


@pytest.mark.parametrize("text", ['de:"', 'de:""', "xx:word", "befor:2021"])
def test_what_is_no_language_is_an_error_still(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


@pytest.mark.parametrize("text", ["de: Hund", "it's", "in:Rome", "is:square", "on:2021"])
def test_what_looks_like_a_language_is_what_it_was(text: str) -> None:
    assert not any(part.language for part in parse(text).parts)


def test_a_model_of_many_languages_is_given_what_was_typed() -> None:
    for known in (None, frozenset({"en", "de"}), frozenset({"ja"})):
        query = parse("ein Hund am Strand")
        assert glossed(query, "de", known) == query
    assert texts(read("chien", "en", frozenset({"en", "de"})))[0][0] == ("dog", 1.0)


def test_letters_that_an_english_model_cannot_read_are_told_of() -> None:
    (part,) = read("كلب").parts
    assert "Arabic" in part.warning
    assert read("كلب", "en", None).parts[0].warning == ""
    assert read("собака").parts[0].warning == ""


def test_json_says_it_only_where_there_is_something_to_say(library: Library) -> None:
    schema = Path(photosearch.search.__file__).with_name("result.schema.json")
    check = fastjsonschema.compile(json.loads(schema.read_text(encoding="utf-8")))
    said = report(library.search("Katze"))
    check(said)
    assert said["understood"][0]["read_as"] == "cat"
    assert understood(library.understand("a cat")) == [
        {"start": 0, "end": 5, "kind": "like", "name": "text", "meaning": "a cat"}
    ]


@pytest.mark.parametrize(
    "text", ["Katze", "eine Katze", "chat noir", "gatto", "кошка", "猫", "ねこ", "kočka", "고양이"]
)
def test_a_cat_is_found_in_any_language(library: Library, text: str) -> None:
    hits = library.search(text, everything=True, locale="fr" if "chat" in text else "")
    assert Path(hits[0].path).name == "chelsea.png"
    assert hits[0].score == pytest.approx(
        max(hit.score for hit in library.search(hits.query.parts[0].read_as, everything=True)),
        abs=0.1,
    )


def test_the_vector_is_the_sum_of_both_meanings(library: Library) -> None:
    encoder = open_encoder(bundled_path())
    query = library.understand("rosa", locale="it")
    both = encoder.encode_texts(["rose", "pink"])
    wanted = both[0] + 0.5 * both[1]
    wanted /= np.linalg.norm(wanted)
    hits = library.search("rosa", everything=True, locale="it")
    with Library.open(library.folder, model=bundled_path()) as again:
        vectors = {
            hit.photo_id: encoder.encode_images([photosearch_image(hit.path)])[0] for hit in hits
        }
        assert again.status().photos == 3
    for hit in hits:
        assert hit.score == pytest.approx(float(vectors[hit.photo_id] @ wanted), abs=0.01)
    assert texts(query) == [(("rose", 1.0), ("pink", 0.5))]


def photosearch_image(path: str):
    from PIL import Image

    return Image.open(path).convert("RGB")


def test_a_literal_text_is_read_as_english_too(library: Library) -> None:
    assert library.understand("Hund: nah", literal=True).parts[0].read_as == "dog near"


def test_why_goes_by_the_english_words(library: Library, place: Path) -> None:
    path = str(place / "photos" / "chelsea.png")
    own = library.photos.why(path, "die Katze", locale="de")
    english = library.photos.why(path, "the cat")
    assert own.score == pytest.approx(english.score, abs=1e-4)
    assert [word for word, _ in own.terms[0].words] == ["the", "cat"]
    assert own.terms[0].term == "die Katze"


def test_the_bundle_says_which_languages_it_knows(tmp_path: Path) -> None:
    assert Bundle.open(bundled_path(), verify=False).languages == ENGLISH
    folder = shutil.copytree(bundled_path(), tmp_path / "bundle")
    change(folder, lambda manifest: manifest.update(languages=["en", "de"]))
    bundle = Bundle.open(folder, verify=False)
    assert bundle.languages == {"en", "de"}
    # What it can read changes no vector.
    assert bundle.id == Bundle.open(bundled_path(), verify=False).id
    for wrong in ([], ["English"], "en", ["en", "en"]):
        change(folder, lambda manifest, wrong=wrong: manifest.update(languages=wrong))
        with pytest.raises(BundleError, match="languages"):
            Bundle.open(folder, verify=False)


def test_a_tokenizer_of_its_own_says_nothing_of_languages() -> None:
    bundle = Bundle.open(bundled_path(), verify=False)
    silent = {key: value for key, value in bundle.manifest.items() if key != "languages"}
    own = {"tokenizer": "tokenizer.json", "pad_id": 0, "padding": "longest"}
    clip = {key: value for key, value in bundle.manifest["text"].items() if key not in own}
    clip["tokenizer"] = CLIP_BPE
    assert replace(bundle, manifest=silent | {"text": clip}).languages == ENGLISH
    manifest = silent | {"text": clip | own}
    assert replace(bundle, manifest=manifest).languages is None
    assert replace(bundle, manifest=manifest | {"languages": ["en"]}).languages == ENGLISH


def test_the_command_line_says_what_was_taken_for_what(place: Path) -> None:
    shell = Shell(place, bundled_path())
    done = shell("search", "Katze", "--all", "--locale", "de")
    assert done.stderr == b'"Katze" taken as "cat"\n'
    assert b"chelsea.png" in done.stdout.splitlines()[0]
    assert shell("search", "a cat", "--all").stderr == b""
    said = shell("search", "Katze", "--all", "--json")
    assert said.stderr == b""
    assert json.loads(said.stdout)["understood"][0]["read_as"] == "cat"
    assert b"cannot read Arabic letters" in shell("search", "قطة", "--all").stderr


def test_an_english_search_imports_nothing_for_it(place: Path) -> None:
    """Of the list only the shelves are read on which its words are."""
    code = f"""
import sys
from photosearch import Library
with Library.open({str(place / "library")!r}) as library:
    library.search("a cat on a sofa")
from photosearch.words import dictionary, language
assert dictionary._shelf.cache_info().currsize <= 4, dictionary._shelf.cache_info()
assert language.language.cache_info().currsize == 0
heavy = {{"torch", "trainer", "tokenizers", "transformers", "tomllib", "nltk"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    environment = os.environ | {"PHOTOSEARCH_MODEL": str(bundled_path())}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
