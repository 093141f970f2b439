"""What other packages add, and what of it is not used."""

from __future__ import annotations

from collections.abc import Iterator

from photosearch.doctor.finding import Finding
from photosearch.plugins.announced import switched_off
from photosearch.plugins.listing import plugins


def check_plugins() -> Iterator[Finding]:
    """One that is not used is no fault of the library."""
    if switched_off():
        return
    for one in plugins():
        if one.problem:
            advice = f"update {one.package}, or uninstall it"
            yield Finding("plugin", "note", one.trouble, advice)
        else:
            yield Finding("plugin", "ok", f"{one.package} {one.version} adds the {one.adds}")
