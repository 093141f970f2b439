"""The text corpus and the WordNet files it draws on."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tars import sample, write_tar

from trainer.data import corpus as module
from trainer.data.corpus import Corpus, build_corpus, read_class_names, short_queries
from trainer.data.wordnet import read_synsets

LICENCE = "  1 This software and database is being provided to you, the LICENSEE\n"


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    folder = tmp_path / "wordnet"
    folder.mkdir()
    nouns = "".join(
        f"{number:08} 05 n 02 thing_{number} 0 item{number} 0 001 @ 00000001 n 0000 "
        f'| definition number {number}; "an example of it"  \n'
        for number in range(40)
    )
    (folder / "data.noun").write_text(LICENCE + nouns)
    (folder / "data.verb").write_text(
        LICENCE + "00000001 29 v 01 run 0 000 01 + 02 00 | move fast\n"
    )
    (folder / "data.adj").write_text(LICENCE + "00000001 00 a 01 alive(p) 0 000 | living\n")
    return folder


@pytest.fixture
def sources(tmp_path: Path, wordnet: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    # The real numbers would hold out all of these small sources.
    monkeypatch.setattr(module, "HELD_OUT_NOUNS", 10)
    monkeypatch.setattr(module, "HELD_OUT_SENTENCES", 5)
    sentences = tmp_path / "sentences.txt"
    sentences.write_text("".join(f"A dog number {n} runs over grass .\n" for n in range(30)))
    meta = {"captions": ["A man rides a red bicycle ."]}
    tar = write_tar(tmp_path / "train.tar", sample("a", Image.new("RGB", (8, 8)), meta))
    return {
        "sentence_files": [sentences],
        "captioned": [tar],
        "class_names": ["tabby cat", "fire engine"],
        "wordnet": wordnet,
    }


def test_wordnet_words_and_glosses(wordnet: Path) -> None:
    synsets = list(read_synsets(wordnet))
    assert len(synsets) == 40
    assert synsets[3].words == ("thing 3", "item3")
    assert synsets[3].gloss == "definition number 3"
    assert next(read_synsets(wordnet, "adj")).words == ("alive",)


def test_wordnet_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wordnet-base"):
        list(read_synsets(tmp_path))


@pytest.mark.slow
def test_everyday_words_take_the_place_of_wordnet(sources: dict[str, object]) -> None:
    corpus = build_corpus(**sources | {"wordnet": None})  # type: ignore[arg-type]
    words = {*corpus.texts, *corpus.held_out_nouns}
    assert {"dog", "tree", "tabby cat"} <= words
    assert len(words) > 1000
    assert "definition number 3" not in words


def test_a_limit_limits_what_is_held_out_too(sources: dict[str, object]) -> None:
    corpus = build_corpus(**sources, limit=40)  # type: ignore[arg-type]
    assert [len(texts) for texts in corpus.lists().values()] == [40, 4, 4]


def test_held_out_texts_are_never_trained_on(sources: dict[str, object]) -> None:
    corpus = build_corpus(**sources)  # type: ignore[arg-type]
    assert len(corpus.held_out_nouns) == 10
    assert len(corpus.held_out_sentences) == 5
    trained = {text.lower() for text in corpus.texts}
    assert len(trained) == len(corpus.texts)
    assert not trained & {text.lower() for text in corpus.held_out_nouns}
    assert not trained & {text.lower() for text in corpus.held_out_sentences}
    for expected in ("alive", "run", "definition number 7", "a photo of a tabby cat"):
        assert expected in corpus.texts


def test_corpus_is_the_same_each_time(sources: dict[str, object], tmp_path: Path) -> None:
    corpus = build_corpus(**sources)  # type: ignore[arg-type]
    assert build_corpus(**sources) == corpus  # type: ignore[arg-type]
    corpus.save(tmp_path / "saved")
    assert Corpus.load(tmp_path / "saved") == corpus
    part = build_corpus(**sources, limit=100)  # type: ignore[arg-type]
    assert part.texts == corpus.texts[:100]


def test_short_queries_are_runs_of_one_to_four_words() -> None:
    sentence = "A brown dog jumps over the high wooden fence ."
    queries = [query for seed in range(50) for query in short_queries([sentence], seed=seed)]
    assert {len(query.split()) for query in queries} == {1, 2, 3, 4}
    assert all(query in sentence for query in queries)


def test_class_names_must_be_a_list_of_texts(tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text('{"0": "cat"}')
    with pytest.raises(ValueError, match=r"names\.json"):
        read_class_names(path)
