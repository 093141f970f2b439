"""Free text to the photos whose vectors lie nearest to it."""

from __future__ import annotations

from index import VectorIndex
from photosearch.encoders import Encoder
from photosearch.errors import UsageError


def check_query(text: str, limit: int) -> None:
    """Raises `UsageError` when the text is blank or the limit is not positive."""
    if not text.strip():
        raise UsageError('the description is empty; describe the photo, as in "a dog on a beach"')
    if limit < 1:
        raise UsageError(f"a limit of {limit} photos shows nothing; ask for at least 1")


def nearest(
    encoder: Encoder, vectors: VectorIndex, text: str, limit: int
) -> list[tuple[int, float]]:
    """Ids and cosines of up to `limit` photos, best first.

    Raises `UsageError` when the text is blank or the limit is not positive.
    """
    check_query(text, limit)
    if len(vectors) == 0:
        return []
    scores, ids = vectors.search(encoder.encode_texts([text]), limit)
    return [(int(photo), float(score)) for photo, score in zip(ids[0], scores[0], strict=True)]
