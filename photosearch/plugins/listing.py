"""All that installed packages add to photosearch, or would if they could."""

from __future__ import annotations

from photosearch.encoders.packaged import packaged
from photosearch.formats import formats
from photosearch.plugins.announced import KINDS, announced, switched_off
from photosearch.plugins.loading import Plugin, known
from photosearch.search.filters import filters
from photosearch.words.language import language, spoken


def plugins() -> list[Plugin]:
    """In order of package, kind and name. All of them are imported, and their word lists read."""
    if switched_off():
        problem = "plugins are switched off"
        return [
            Plugin(one.kind, one.name, one.package, one.version, problem=problem)
            for one in announced()
        ]
    formats()
    filters()
    packaged()
    for code in spoken() - {"en"}:
        language(code)
    return sorted(known(), key=lambda one: (one.package.lower(), KINDS.index(one.kind), one.name))
