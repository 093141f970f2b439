"""Whether cut-offs that are fitted without labels do what those do that were fitted on labels.

Two models that have a calibration of labelled photos each are given another one: carried from the
one or from the other, with nothing of the photos that are searched but their vectors. A model that
is given the other one's numbers is in the place of one that was just downloaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.tables import fill_page, markdown_table, write_text
from photosearch.calibrating.carried import carried
from photosearch.calibrating.fitting import bank
from photosearch.encoders import Calibration, Encoder, open_encoder
from trainer.evaluate.figure import Figure
from trainer.relevance.asked import (
    Asked,
    Photos,
    encode_photos,
    labelled,
    named_things,
    whole_captions,
)
from trainer.relevance.measure import best_scores, f1_of, found_by, means, tells_apart
from trainer.relevance.run import TESTING

_SIZES = (20, 100, 500)
WITHIN = 0.02


@dataclass(frozen=True)
class Model:
    """One with its own calibration, and what is asked of it: each with the library searched."""

    name: str
    calibration: Calibration
    texts: np.ndarray
    asked: Sequence[Asked]


@dataclass(frozen=True)
class Row:
    """Of one kind of query, by the labelled calibration and by one that was carried from `source`;
    the last of each is the lead of the second. `f1` is None where only one photo can answer."""

    model: str
    source: str
    asked: str
    queries: int
    apart: Sequence[tuple[int, list[Figure]]]
    f1: list[Figure] | None


def run(
    bundle: Path,
    other: Path,
    out: Path,
    *,
    test: Sequence[Path],
    photos: Sequence[Path],
    limit: int | None,
) -> None:
    """Measure, print the table, and write it to `out`."""
    models = [_model(open_encoder(folder), test, photos, limit) for folder in (bundle, other)]
    rows = [row for one in models for source in models for row in measure(one, source)]
    print(table(rows))
    write_text(out / "calibrating.md", page(rows, models, test, photos, limit))


def measure(model: Model, source: Model) -> list[Row]:
    """What the numbers of `source` do for the model, on the photos that are searched."""
    rows = []
    for asked in model.asked:
        found = carried(source.calibration, source.texts, asked.images, model.texts)
        if found is None:
            raise SystemExit(f"{model.name}: its texts do not tell the photos apart")
        both = model.calibration, found
        ratios = [one.log_ratio(asked.texts, asked.cosines) for one in both]
        apart = []
        for size in _SIZES:
            pairs = [best_scores(asked, each, gallery=size) for each in ratios]
            apart.append((size, tells_apart(*([pair[k] for pair in pairs] for k in (0, 1)))))
        f1 = None
        if asked.shown.sum(1).max() > 1:
            f1 = means([f1_of(asked, found_by(asked, one)) for one in both], name="F1")
        rows.append(Row(model.name, source.name, asked.name, len(asked.texts), apart, f1))
    return rows


def table(rows: Sequence[Row]) -> str:
    head = (
        *("model", "numbers of", "asked for", "queries"),
        *(f"AUROC among {size}" for size in _SIZES),
        "F1",
    )
    return markdown_table(
        head,
        [
            (
                row.model,
                "itself" if row.source == row.model else row.source,
                row.asked,
                f"{row.queries:,}",
                *(_change(figures) for _, figures in row.apart),
                "" if row.f1 is None else _change(row.f1),
            )
            for row in rows
        ],
    )


def page(
    rows: Sequence[Row],
    models: Sequence[Model],
    test: Sequence[Path],
    photos: Sequence[Path],
    limit: int | None = None,
) -> str:
    """docs/benchmarks/calibrating.md."""
    leads = [
        figures[-1].value
        for row in rows
        for figures in (*(each for _, each in row.apart), *([row.f1] if row.f1 else ()))
    ]
    labelled_ones = " and ".join(path.name for path in photos)
    if limit is not None:
        labelled_ones = f"the first {limit:,} photos of {labelled_ones}"
    sizes = ", ".join(f"{asked.name}: {len(asked.images):,} photos" for asked in models[0].asked)
    return fill_page(
        "calibrating.md",
        table=table(rows),
        models=" and ".join(model.name for model in models),
        setting=f"{' and '.join(path.name for path in test)}, and {labelled_ones}; {sizes}",
        texts=str(len(models[0].texts)),
        within=f"{WITHIN:.2f}",
        inside=str(sum(lead >= -WITHIN for lead in leads)),
        figures=str(len(leads)),
        least=f"{min(leads):+.3f}",
        most=f"{max(leads):+.3f}",
    )


def _model(
    encoder: Encoder, test: Sequence[Path], photos: Sequence[Path], limit: int | None
) -> Model:
    calibration = encoder.calibration
    if calibration is None:
        raise SystemExit(f"{encoder.bundle_id}: has no calibration to compare with")
    captioned = encode_photos(encoder, test)
    parts = [encode_photos(encoder, [tar], limit=limit) for tar in photos]
    named = Photos(
        np.concatenate([part.vectors for part in parts]),
        [meta for part in parts for meta in part.metas],
    )
    asked = [
        whole_captions(encoder, captioned, each=1),
        named_things(encoder, captioned),
        labelled(encoder, named, parts=TESTING),
    ]
    return Model(
        encoder.bundle_id.rsplit("-", 2)[0], calibration, encoder.encode_texts(bank()), asked
    )


def _change(figures: Sequence[Figure]) -> str:
    """From the labelled calibration's to the other's, and the difference with its interval."""
    before, after, lead = figures
    return (
        f"{before.value:.3f} → {after.value:.3f} "
        f"({lead.value:+.3f}, {lead.low:+.3f} to {lead.high:+.3f})"
    )
