"""Whether a bundle's calibration tells better than one flat cosine what a query is answered by.

Flat cut-offs are set on the validation photos and labels, as those of the calibration were. What
is reported is of the test photos, and of labels that neither has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import figure, fill_page, markdown_table, save_figure, write_text
from photosearch.encoders import Calibration, Encoder, open_encoder
from photosearch.encoders.calibration import background_fit
from trainer.captioners.wording import with_article
from trainer.evaluate.figure import Figure
from trainer.relevance.asked import (
    Asked,
    encode_photos,
    labelled,
    named_things,
    whole_captions,
)
from trainer.relevance.fit import GAPS, level_below
from trainer.relevance.measure import (
    best_scores,
    f1_of,
    found_above,
    found_by,
    mean_f1,
    means,
    tells_apart,
)
from trainer.relevance.run import SCALE, SETTING, TESTING

Scores = NDArray[np.floating]
_HIDDEN = 0.1
_SIZES = (20, 100, 500)
_FLATS = np.arange(0.2, 0.701, 0.01)


@dataclass(frozen=True)
class Flat:
    """Cut-offs for the cosine itself, of the largest F1: one, and one with a gap below the best."""

    best: float
    with_gap: tuple[float, float]


@dataclass(frozen=True)
class Told:
    """Among so many photos: the scores' power to tell, and what the cut-offs make of it.

    apart: AUROC of the cosine, of the cosine less what texts explain of the photo, and of the
    ratio. told: of unanswerable queries, those told that nothing is found, where a cut-off on the
    cosine or on the ratio hides a tenth of the right answers; both end with the lead of the last
    on the first. hidden, refused: of right answers and of unanswerable queries, those below the
    bundle's own cut-off.
    """

    photos: int
    apart: list[Figure]
    told: list[Figure]
    hidden: float
    refused: float
    curves: Sequence[tuple[Scores, Scores]]


@dataclass(frozen=True)
class Result:
    """One kind of query. `f1` is that of the returned set by the best flat cosine, by one with a
    gap, by the calibration, and the last's lead; None where only one photo can answer."""

    asked: Asked
    among: list[Told]
    f1: list[Figure] | None


def run(
    bundle: Path,
    out: Path,
    *,
    test: Sequence[Path],
    validation: Sequence[Path],
    photos: Sequence[Path],
) -> None:
    """Measure, print the tables, and write them with a plot to `out`."""
    encoder = open_encoder(bundle)
    calibration = encoder.calibration
    if calibration is None:
        raise SystemExit(
            f"{bundle}: has no calibration; make one with `photosearch-trainer calibrate`"
        )
    checking, tested = (encode_photos(encoder, tars) for tars in (validation, test))
    named = encode_photos(encoder, photos)
    words = _both(
        lambda way: labelled(encoder, named, parts=SETTING, phrase=way),
        lambda way: named_things(encoder, checking, phrase=way),
    )
    flat = set_flat(words)
    texts = _bank(encoder, [meta["captions"][0] for meta in checking.metas])
    asked = [
        whole_captions(encoder, tested, each=5),
        named_things(encoder, tested),
        labelled(encoder, named, parts=TESTING),
    ]
    results = [measure(one, calibration, flat, texts) for one in asked]
    print(apart_table(results), told_table(results), f1_table(results), sep="\n\n")
    setting = (
        f"{encoder.bundle_id}; {len(tested)} captioned photos of {_names(test)}, and those of "
        f"{_names(photos)} with one of {len(asked[-1].texts)} labels that were used for nothing "
        "else here"
    )
    write_text(out / "relevance.md", page(results, flat, calibration, setting))
    plot(results, out / "relevance.svg")


def set_flat(sets: Sequence[Asked]) -> Flat:
    """The flat cosines that do best on `sets`."""

    def quality(flat: float, gap: float) -> float:
        return float(np.mean([mean_f1(asked, found_above(asked, flat, gap)) for asked in sets]))

    best = max(_FLATS, key=lambda flat: quality(flat, np.inf))
    gapped = max(
        ((flat, gap) for flat in _FLATS[::2] for gap in GAPS[::2]), key=lambda each: quality(*each)
    )
    return Flat(float(best), (float(gapped[0]), float(gapped[1])))


def measure(
    asked: Asked, calibration: Calibration, flat: Flat, texts: NDArray[np.float32]
) -> Result:
    f1 = None
    if asked.shown.sum(1).max() > 1:
        found = (
            found_above(asked, flat.best),
            found_above(asked, *flat.with_gap),
            found_by(asked, calibration),
        )
        f1 = means([f1_of(asked, each) for each in found], name="F1")
    return Result(asked, [_told(asked, calibration, texts, size) for size in _SIZES], f1)


def _told(asked: Asked, calibration: Calibration, texts: NDArray[np.float32], size: int) -> Told:
    cosines = asked.cosines
    explained = background_fit(asked.images, texts, SCALE)
    pairs = [
        best_scores(asked, scores, gallery=size)
        for scores in (
            cosines,
            cosines - explained[None, :],
            calibration.log_ratio(asked.texts, cosines),
        )
    ]
    there, gone = ([pair[side] for pair in pairs] for side in (0, 1))
    right = there[0] > gone[0]  # the same for the ratio, which keeps the order
    curves = [(there[which][right], gone[which]) for which in (0, 2)]
    told = [(missing < level_below([shown], _HIDDEN)).mean(1) for shown, missing in curves]
    floor = calibration.floor_among(size)
    return Told(
        size,
        apart=tells_apart(there, gone),
        told=means(told, name="told"),
        hidden=float((curves[1][0] < floor).mean()),
        refused=float((curves[1][1] < floor).mean()),
        curves=curves,
    )


def apart_table(results: Sequence[Result]) -> str:
    head = (
        "asked for",
        "queries",
        "among photos",
        "cosine",
        "less what texts explain of the photo",
    )
    rows = [
        (
            result.asked.name,
            f"{len(result.asked.texts):,}",
            str(told.photos),
            *map(_interval, told.apart),
        )
        for result in results
        for told in result.among
    ]
    return markdown_table((*head, "likelihood ratio", "lead on the cosine"), rows)


def told_table(results: Sequence[Result]) -> str:
    head = (
        "asked for",
        "among photos",
        "cut-off on the cosine",
        "on the ratio",
        "lead",
        "the bundle's: hidden",
        "told",
    )
    rows = [
        (
            result.asked.name,
            str(told.photos),
            *map(_share, told.told),
            f"{told.hidden:.0%}",
            f"{told.refused:.0%}",
        )
        for result in results
        for told in result.among
    ]
    return markdown_table(head, rows)


def f1_table(results: Sequence[Result]) -> str:
    head = ("asked for", "queries", "photos", "one flat cosine", "flat, and a gap", "calibrated")
    rows = [
        (
            result.asked.name,
            f"{len(result.asked.texts):,}",
            f"{len(result.asked.images):,}",
            *map(_interval, result.f1),
        )
        for result in results
        if result.f1 is not None
    ]
    return markdown_table((*head, "lead on the flat cosine"), rows)


def page(results: Sequence[Result], flat: Flat, calibration: Calibration, setting: str) -> str:
    """docs/benchmarks/relevance.md."""
    return fill_page(
        "relevance.md",
        setting=setting,
        apart=apart_table(results),
        told=told_table(results),
        f1=f1_table(results),
        flat=f"{flat.best:.2f}",
        gapped=f"{flat.with_gap[0]:.2f} and {flat.with_gap[1]:.2f}",
        background=str(len(calibration.background)),
        gap=f"{calibration.gap:.2f}",
    )


def plot(results: Sequence[Result], path: Path) -> None:
    """Left, what any cut-off hides and tells; right, F1 of what is returned."""
    drawn, (left, right) = figure(2, 3.6)
    colours = ("#999999", "#2f6f9f")
    styles = ("-", "--", ":")
    for result, style in zip(results, styles, strict=False):
        for (there, gone), colour, name in zip(
            result.among[0].curves, colours, ("cosine", "ratio"), strict=True
        ):
            levels = np.quantile(np.concatenate([there, gone.ravel()]), np.linspace(0, 1, 200))
            lost = [(there < level).mean() for level in levels]
            told = [(gone < level).mean() for level in levels]
            left.plot(lost, told, style, color=colour, label=f"{name}: {result.asked.name}")
    left.set_xlabel("right answers hidden")
    left.set_ylabel(f"unanswerable queries told so, among {_SIZES[0]} photos")
    left.set_xlim(0, 0.5)
    left.set_ylim(0, 1)
    left.legend(frameon=False, fontsize=7, loc="lower right")
    shown = [(result.asked.name, result.f1) for result in results if result.f1 is not None]
    for number, (label, colour) in enumerate(
        zip(
            ("one flat cosine", "flat, and a gap", "calibrated"),
            ("#999999", "#c9c9c9", "#2f6f9f"),
            strict=True,
        )
    ):
        values = [figures[number] for _, figures in shown]
        right.bar(
            np.arange(len(shown)) + 0.27 * (number - 1),
            [one.value for one in values],
            width=0.25,
            color=colour,
            label=label,
            yerr=np.array([(one.value - one.low, one.high - one.value) for one in values]).T,
            error_kw={"elinewidth": 1},
        )
    right.set_xticks(np.arange(len(shown)), [name for name, _ in shown])
    right.set_ylabel("F1 of the returned photos")
    right.legend(frameon=False, fontsize=8)
    save_figure(drawn, path)


def _both(*makers: Callable[[Callable[[str], str]], Asked]) -> list[Asked]:
    return [make(way) for make in makers for way in (with_article, str)]


def _bank(encoder: Encoder, captions: Sequence[str]) -> NDArray[np.float32]:
    return encoder.encode_texts(captions[:: max(1, len(captions) // 256)])


def _names(paths: Sequence[Path]) -> str:
    return " and ".join(path.name for path in paths)


def _interval(one: Figure) -> str:
    sign = "+" if one.name.startswith("lead") else ""
    return f"{one.value:{sign}.3f} ({one.low:{sign}.3f} to {one.high:{sign}.3f})"


def _share(one: Figure) -> str:
    sign = "+" if one.name.startswith("lead") else ""
    return f"{one.value:{sign}.0%} ({one.low:{sign}.0%} to {one.high:{sign}.0%})"
