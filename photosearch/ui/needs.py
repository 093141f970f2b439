"""What has to be installed first, as the page's scripts are told of it."""

from __future__ import annotations

from collections.abc import Callable

from photosearch.errors import UsageError


def needed(check: Callable[[], None]) -> str | None:
    """What `check` finds missing; None when all is there."""
    try:
        check()
    except UsageError as error:
        return str(error)
    return None
