"""Stored views, nudged: how far, how often mirrored, and the same for the same numbers."""

from __future__ import annotations

import numpy as np

from trainer.reinforce.augment import Augmentation
from trainer.train.nudge import nudge

VIEW = Augmentation(10, 20, 200, 100, (("Rotate", 9.0),))


def nudged(seeds: int, view: Augmentation = VIEW) -> list[tuple[Augmentation, bool]]:
    return [nudge(view, np.random.default_rng(seed)) for seed in range(seeds)]


def test_a_cut_lies_in_the_view_and_takes_nine_tenths_of_each_side() -> None:
    found = [view for view, _ in nudged(300)]
    for view in found:
        assert 10 <= view.top <= view.top + view.height <= 210
        assert 20 <= view.left <= view.left + view.width <= 120
        assert 180 <= view.height <= 200
        assert 90 <= view.width <= 100
    # All of what is allowed is drawn, and one side does not tell the other.
    assert {view.width for view in found} == set(range(90, 101))
    assert {view.left for view in found} >= set(range(20, 28))
    assert abs(np.corrcoef([(v.height / 2, v.width) for v in found], rowvar=False)[0, 1]) < 0.2


def test_light_comes_after_what_the_teacher_saw() -> None:
    changes = []
    for view, _ in nudged(300):
        first, *light = view.operations
        assert first == ("Rotate", 9.0)
        assert [name for name, _ in light] == ["Brightness", "Contrast", "Color"]
        changes.append([change for _, change in light])
    assert np.abs(changes).max() <= 0.2
    assert (np.ptp(changes, axis=0) > 0.35).all()
    assert np.abs(np.corrcoef(changes, rowvar=False) - np.eye(3)).max() < 0.2


def test_half_are_mirrored_whatever_else_is_drawn() -> None:
    assert 0.4 < np.mean([mirrored for _, mirrored in nudged(300)]) < 0.6


def test_the_same_numbers_give_the_same() -> None:
    assert nudged(5) == nudged(5)
    assert len({view for view, _ in nudged(5)}) == 5


def test_a_view_of_one_pixel_stays_one() -> None:
    small = Augmentation(3, 4, 1, 1)
    assert {(v.top, v.left, v.height, v.width) for v, _ in nudged(20, small)} == {(3, 4, 1, 1)}
