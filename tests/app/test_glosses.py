"""Words and captions in other languages as English, by the list that comes with us."""

from __future__ import annotations

from pathlib import Path

import pytest

from photosearch.shipped import asset
from photosearch.words import choosing, dictionary
from photosearch.words.folding import SHELVES, fold, plain
from photosearch.words.gloss import gloss, language_of
from photosearch.words.language import LANGUAGES, code_of, language
from photosearch.words.tokens import unknown_script

ROWS = [
    line.split("\t")
    for line in (Path(__file__).parents[1] / "data" / "everyday_words.tsv")
    .read_text(encoding="utf-8")
    .splitlines()
]
EVERYDAY = {code: [(row[0], row[at]) for row in ROWS[1:]] for at, code in enumerate(ROWS[0]) if at}
# What is as good for a photo.
SAME = {
    "football": {"soccer"},
    "coins": {"coin"},
    "shoe": {"shoes"},
    "bicycle": {"bike"},
    "baby": {"child"},
    "rabbit": {"bunny"},
    "table": {"desk"},
}


def english(text: str, locale: str = "en") -> str:
    """The English that is taken for a text; "" where it is taken as it is."""
    found = gloss(text, locale)
    return found.texts[0][0] if found else ""


@pytest.mark.parametrize("code", EVERYDAY)
def test_everyday_words_are_known(code: str) -> None:
    wrong = []
    for wanted, word in EVERYDAY[code]:
        found = english(word, code) or word.lower()
        if found != wanted and found not in SAME.get(wanted, ()):
            wrong.append((word, found))
    assert len(EVERYDAY[code]) > 80
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize("code", EVERYDAY)
def test_most_are_known_without_the_locale(code: str) -> None:
    """Those that English does not have: "pain" and "hat" are its own."""
    asked = [
        (wanted, word)
        for wanted, word in EVERYDAY[code]
        if not all(choosing.english(part) for part in fold(word).split())
    ]
    right = 0
    for wanted, word in asked:
        found = gloss(word)
        meant = {text for text, _ in found.texts} if found else set()
        right += bool(meant & {wanted, *SAME.get(wanted, ())})
    assert right >= 0.85 * len(asked)


KEPT = """
die gift chat hat pain mare hut bad rot fast bald war art kind dog sunset rock fire sale camera rose
glasses hiking snowboarding screenshots selfie labrador croissant kindergarten angst burrito panda
a dog on the beach|a man in a hat|children playing in the snow|my sister's wedding|
don't walk|the quick brown fox jumps over the lazy dog|
a red car in front of a house|the die is cast|bad art|chat room|fast food
a mare and a foal|dogs' toys|Anna on the beach|Max and Moritz|IMG_2041|iPhone|Kubernetes|2019|
a 1967 Mustang|a hut in the alps|sunflowers|blurry photo|a B&B|
"""


@pytest.mark.parametrize(
    "text",
    [
        one.strip()
        for line in KEPT.strip().splitlines()
        for one in (line.split("|") if "|" in line else line.split())
        if one.strip()
    ],
)
def test_english_stays_as_it_is(text: str) -> None:
    assert gloss(text, "en") is None


@pytest.mark.parametrize(
    ("word", "locale", "wanted"),
    [
        ("gift", "de", "poison"),
        ("kind", "de", "child"),
        ("hut", "de", "hat"),
        ("chat", "fr", "cat"),
        ("pain", "fr", "bread"),
        ("mare", "it", "sea"),
        ("dog", "de", ""),
        ("a dog on a beach", "de", ""),
        ("sunset over the mountains", "fr", ""),
        ("pizza", "it", ""),
    ],
)
def test_the_locale_decides_where_a_word_is_of_both(word: str, locale: str, wanted: str) -> None:
    assert english(word, locale) == wanted
    if wanted:
        assert english(word, "en") == ""


@pytest.mark.parametrize(
    ("text", "wanted", "locale"),
    [
        ("Münzen", "coin", "en"),
        ("Muenzen", "coin", "en"),
        ("Hände", "hand", "en"),
        ("Häuser", "house", "en"),
        ("Bäumen", "tree", "en"),
        ("monedas", "coin", "en"),
        ("flores", "flower", "en"),
        ("luces", "light", "es"),
        ("animaux", "animal", "en"),
        ("fiori", "flower", "en"),
        ("cachorros", "dog", "pt"),
        ("kerken", "church", "en"),
        ("hästarna", "horse", "en"),
        ("kwiaty", "flower", "en"),
        ("собаки", "dog", "en"),
        ("машины", "car", "en"),
        ("цветами", "flowers", "en"),
        ("çiçekler", "flower", "en"),
        ("kissat", "cat", "fi"),
        ("virágok", "flower", "en"),
        ("고양이가", "cat", "en"),
        # compounds
        ("Sonnenblumenfeld", "sunflower field", "en"),
        ("Holztisch", "wood table", "en"),
        ("Apfelkuchen", "apple pie", "en"),
        ("bergmeer", "mountain lake", "nl"),
        ("stenhus", "rock house", "sv"),
        # accents and capitals as people type them
        ("arbol", "tree", "en"),
        ("ETE", "summer", "fr"),
        ("STRASSE", "street", "en"),
        ("foret", "forest", "en"),
        ("zolw", "tortoise", "pl"),
        ("cicek", "flower", "tr"),
        ("ёлка", "christmas tree", "en"),
        ("елка", "christmas tree", "en"),
        # several words
        ("arc en ciel", "rainbow", "en"),
        ("pomme de terre", "potato", "en"),
        ("pommes de terre", "potato", "en"),
        ("puesta de sol", "sunset", "en"),
    ],
)
def test_other_forms_of_a_word(text: str, wanted: str, locale: str) -> None:
    assert english(text, locale) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ein Hund am Strand", "dog beach"),
        ("zwei Kinder spielen im Schnee", "two children play snow"),
        ("eine Frau mit rotem Regenschirm", "woman with red umbrella"),
        ("Kirche in den Bergen", "church in mountain"),
        ("un chien sur la plage", "a dog on the beach"),
        ("des enfants qui jouent dans la neige", "child plays in snow"),
        ("un homme avec un chapeau rouge", "a man with a hat red"),
        ("una mujer con un sombrero rojo", "a woman with hat red"),
        ("puesta de sol sobre el mar", "sunset sea"),
        ("un gatto che dorme sul letto", "a cat sleeps on the bed"),
        ("uma menina com um guarda-chuva", "a girl with a umbrella"),
        ("pôr do sol na praia", "sunset beach"),
        ("twee mannen op een fiets", "two men on a bicycle"),
        ("en flicka leker i snön", "a girl plays in snow"),
        ("pies biegnie po plaży", "dog runs beach"),
        ("собака бежит по снегу", "dog runs snow"),
        ("кошка спит на кровати", "cat sleeps on bed"),
        ("海岸を走っている犬", "beach running dog"),
        ("赤い傘を持った女性", "red umbrella woman"),
        ("雪の中の猫", "snow cat"),
        ("一只狗在沙滩上", "a dog on beach"),
        ("公园里的孩子", "park child"),
        ("穿着红色衣服的女人", "red woman"),
        ("강아지가 해변에서 달리는", "dog beach running"),
        ("pes na pláži", "dog on beach"),
        ("koira juoksee lumessa", "dog runs snow"),
        ("un câine pe plajă", "a dog on beach"),
        ("ένας σκύλος στην παραλία", "a dog beach"),
        ("собака на пляжі", "dog on beach"),
        ("en hund på stranden", "a dog on beach"),
        ("plajda köpek", "beach dog"),
        ("kutya a strandon", "dog the beach"),
    ],
)
def test_captions_say_the_same(text: str, wanted: str) -> None:
    """All that is wanted is there, and little else."""
    found = english(text).split()
    assert set(wanted.split()) <= set(found)
    assert len(found) <= len(wanted.split()) + 3


def test_words_of_another_language_among_english_ones() -> None:
    assert english("a fahrrad in the snow") == "a bicycle in the snow"
    assert english("a 犬 on the beach") == "a dog on the beach"
    assert english("собака and a cat") == "dog and a cat"
    assert english("Fahrrad in the snow", "de") == "bicycle in the snow"
    assert english("Tシャツ").startswith("T ")


def test_a_word_of_two_meanings_gives_both() -> None:
    found = gloss("rosa", "it")
    assert found is not None
    assert found.language == "it"
    assert found.texts == (("rose", 1.0), ("pink", 0.5))
    assert len(gloss("roter Hund").texts) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["", "  ", "!?", "12 34", "_", "qwxzrt", "\udcff", "a" * 5000])
def test_what_is_no_word_is_left_alone(text: str) -> None:
    assert gloss(text) is None


def test_the_language_is_told_by_all_words_of_a_query() -> None:
    assert language_of(["Strand", "Hütte am Meer"], "en") == "de"
    assert language_of(["die"], "en") == "en"
    assert language_of(["die"], "de") == "de"


def test_han_characters_are_of_the_language_that_knows_them() -> None:
    assert english("電車") == "train"
    assert gloss("桜", "ja").language == "ja"  # type: ignore[union-attr]
    assert gloss("自行车").language == "zh"  # type: ignore[union-attr]


def test_scripts_that_no_list_covers_are_named() -> None:
    assert unknown_script("كلب on a beach") == "Arabic"
    assert unknown_script("สุนัข") == "Thai"
    assert unknown_script("כלב") == "Hebrew"
    assert unknown_script("कुत्ता") == "Devanagari"
    for text in ("a dog", "Köln", "собака", "犬です", "クリスマス", "고양이", "σκύλος", "½ ° µ"):
        assert unknown_script(text) == "", text


@pytest.mark.parametrize(
    ("tag", "code"),
    [("de_DE.UTF-8", "de"), ("zh-Hant-TW", "zh"), ("no", "nb"), ("nn-NO", "nb"), ("C", "en")],
)
def test_a_locale_has_a_language(tag: str, code: str) -> None:
    assert code_of(tag) == code


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_language_has_its_file(code: str) -> None:
    own = language(code)
    assert len(own.words) >= 80
    assert all(word == fold(word) for word in own.words)
    assert own.endings or code == "zh"


def test_folding() -> None:
    assert fold("L\u2019Église") == "l église"
    assert plain("l église") == "l eglise"
    assert plain("smørrebrød") == "smorrebrod"
    assert plain("が") == "が"
    assert plain("한국") == "한국"


def test_the_list_is_small_and_read_in_parts() -> None:
    assert asset("words", "glosses.zip").stat().st_size < 6_000_000
    names = dictionary._file().namelist()
    assert len(names) == SHELVES
    assert max(info.file_size for info in dictionary._file().infolist()) < 150_000
