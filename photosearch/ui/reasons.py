"""Why a photo was found, as the page's scripts are told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from index import PhotoFile
from photosearch.errors import UsageError
from photosearch.search.why import Why
from photosearch.sharing.originals import ChangedError, open_original
from photosearch.silent_drive import NoAnswerError
from photosearch.ui.context import Context
from photosearch.ui.photos import find_photo


async def reasons(
    context: Context, photo_id: int, text: str, images: Sequence[bytes], locale: str
) -> dict[str, Any]:
    """What each term adds to the score of a photo, and where in the picture it shows.

    Raises `HTTPException` when there is no such photo; `UsageError` when its file is not the one
    that was indexed, and as `Photos.why` does.
    """
    photo = await find_photo(context, photo_id)
    if photo.format == "VIDEO":
        raise UsageError("not available for videos; choose a photo")
    await context.in_thread(_check, photo)
    why = await context.slow.ask(
        lambda it: it.photos.why(photo_id, text, images=images, files=False, locale=locale),
    )
    return _told(why)


def _check(photo: PhotoFile) -> None:
    """It is decoded in this process, so it has to be the file that was decoded before."""
    try:
        open_original(photo).close()
    except ChangedError as error:
        raise UsageError(str(error)) from error
    except NoAnswerError as error:
        raise UsageError(f"the file cannot be read now: {error.strerror}") from error
    except OSError as error:
        raise UsageError("the file is not there any more; index its folder again") from error


def _told(why: Why) -> dict[str, Any]:
    return {
        "score": why.score,
        "cutoff": why.cutoff,
        "terms": [asdict(share) for share in why.terms],
        "heat": [[round(float(cell), 3) for cell in row] for row in why.heat],
        "area": why.area,
        "people": [asdict(one) for one in why.people],
    }
