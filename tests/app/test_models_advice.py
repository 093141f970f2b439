"""Which model is recommended for a machine, a library and a language, and what it would take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from shell import Shell

from photosearch.indexing.events import Indexed
from photosearch.library import speed
from photosearch.pulling import pace
from photosearch.pulling.advice import Advice, Machine, advise, recommended
from photosearch.pulling.offers import OFFERS, find_offer

LAPTOP = Machine(memory=16 * 10**9, free=10**12, pace=100.0, photos=30_000, reading=0.03)
SMALL = replace(LAPTOP, memory=4 * 10**9)
SERVER = replace(LAPTOP, memory=128 * 10**9, pace=5000.0)


def names(found: list[Advice]) -> list[str]:
    return [one.offer.name for one in found]


def test_one_is_recommended_and_one_that_knows_the_language() -> None:
    (best,) = recommended(LAPTOP)
    assert best.offer.recommended
    assert not best.offer.research_only
    assert best == next(one for one in advise(LAPTOP) if one.offer.recommended)
    # It knows German, too.
    assert names(recommended(LAPTOP, "de")) == names([best])

    english = [offer for offer in OFFERS if offer.languages == ("en",)]
    xlm = find_offer("XLM-Roberta-Base-ViT-B-32__laion5b_s13b_b90k")
    both = recommended(LAPTOP, "de", [*english, xlm])
    assert [one.understands for one in both] == [False, True]
    assert both[1].offer == xlm
    assert recommended(replace(LAPTOP, memory=10**9)) == []


@pytest.mark.parametrize("language", ["en", "fi"])
@pytest.mark.parametrize("machine", [LAPTOP, SMALL, SERVER])
def test_what_suits_comes_first(machine: Machine, language: str) -> None:
    found = advise(machine, language)
    assert sorted(names(found)) == sorted(offer.name for offer in OFFERS)
    order = [
        (
            not one.fits,
            not one.understands,
            one.seconds is None or one.seconds > 36_000,
            one.offer.converted,
            one.offer.research_only,
        )
        for one in found
    ]
    assert order == sorted(order)
    assert all(one.memory <= machine.memory / 2 for one in found if one.fits and one.memory)
    # Among those that are as good otherwise, the one that finds more.
    first = [one for one in found if order[found.index(one)] == order[0] and one.offer.recall]
    recalls = [one.offer.recall for one in first]
    assert recalls == sorted(recalls, reverse=True)


def test_what_it_takes_is_told() -> None:
    one = next(one for one in advise(LAPTOP) if one.offer.name == "ViT-B-16-SigLIP2__webli")
    assert one.seconds == pytest.approx(30_000 * (0.03 + 17.7 / 100))
    assert one.disk == 1_501_000_000 + 30_000 * 768 * 4
    # Of an empty library what the next thousand photos take.
    empty = advise(replace(LAPTOP, photos=0))
    assert next(each for each in empty if each.offer == one.offer).seconds == pytest.approx(207)
    # A server has time for larger ones.
    assert names(advise(SERVER)) != names(advise(replace(LAPTOP, memory=128 * 10**9)))


def test_the_machine_is_measured_by_a_product_of_matrices() -> None:
    session = onnxruntime.InferenceSession(pace._product(), providers=["CPUExecutionProvider"])
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((3, 4), np.float32)
    np.testing.assert_allclose(session.run(None, {"a": a, "b": b})[0], a @ b)
    assert 0 < pace.measured_pace() < 1e6


def test_the_best_that_was_seen_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_seen", {})
    clock, seen = iter((0.0, 30.0, 70.0, 140.0)), iter((50.0, 80.0, 60.0))
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(pace, "_measure", lambda _: next(seen))
    assert [pace.measured_pace() for _ in range(4)] == [50.0, 50.0, 80.0, 80.0]


def test_what_a_photo_takes_to_be_read_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path
    assert speed.reading_seconds(folder) == 0.03
    clock = iter(range(100))
    monkeypatch.setattr(speed.time, "monotonic", lambda: next(clock) / 2)
    few = speed.Speed(folder)
    for _ in range(3):
        few.note(Indexed(("a",)))
    few.keep()
    assert speed.reading_seconds(folder) == 0.03
    noted = speed.Speed(folder)
    for _ in range(6):
        noted.note(Indexed(tuple("abcdefghij")))
    noted.keep()
    assert speed.reading_seconds(folder) == pytest.approx(2.5 / 50)
    (folder / "speed.json").write_text("{}")
    assert speed.reading_seconds(folder) == 0.03


@pytest.mark.slow
def test_the_command_says_it(indexed: Shell) -> None:
    listed = json.loads(indexed("models", "list", "--json").stdout)
    best = [offer["name"] for offer in listed["offered"] if offer["best"]]
    assert best
    assert all(offer["seconds"] for offer in listed["offered"] if offer["best"])
    out = indexed("models", "list", "--available", "--language", "de-AT").stdout.decode()
    assert "for your 6 photos" in out
    assert f"* {best[0]} " in out
    assert "is what is recommended for this machine" in out
