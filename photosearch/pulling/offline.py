"""Whether anything may be downloaded: never where the user forbids it, to us or to the hub."""

from __future__ import annotations

import os

from photosearch.errors import UsageError
from photosearch.settings import Settings

HUB = "HF_HUB_OFFLINE"
# The server of the page sets the first for itself, and keeps what the user had said in this.
_AS_SAID = "_HF_HUB_OFFLINE"
# As the hub's client reads it.
_YES = frozenset({"1", "ON", "YES", "TRUE"})


def is_offline(settings: Settings) -> bool:
    """Whether the user forbids to download."""
    return settings.offline or _hub_is()


def check_online(model: str, settings: Settings) -> None:
    """Raise `UsageError` where nothing is to be downloaded."""
    if settings.offline:
        raise UsageError(
            f"{model}: is not downloaded, since the setting `offline`, or PHOTOSEARCH_OFFLINE, "
            "forbids it"
        )
    if _hub_is():
        raise UsageError(f"{model}: is not downloaded, since HF_HUB_OFFLINE forbids it")


def allow_this_process() -> None:
    """Let the hub's client go online in a process that the server has started to download."""
    os.environ.pop(HUB, None)


def _hub_is() -> bool:
    return os.environ.get(_AS_SAID, os.environ.get(HUB, "")).upper() in _YES
