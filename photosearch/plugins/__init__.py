"""What packages that add to photosearch are written with; docs/plugins.md tells how.

announced   which of the installed packages announce something, by their entry points
loading     what they announce, imported when it is first needed, and what became of it
listing     all of it, for people to look at
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photosearch.formats import Format
    from photosearch.indexing.formats.arrays import image_of
    from photosearch.indexing.formats.picture import Asked, DecodeError, Picture, refuse_above
    from photosearch.search.filters import Argument, Filter, Help, Read, Row, World
    from photosearch.words.language import WordList

__all__ = [
    "Argument",
    "Asked",
    "DecodeError",
    "Filter",
    "Format",
    "Help",
    "Picture",
    "Read",
    "Row",
    "WordList",
    "World",
    "image_of",
    "refuse_above",
]

_LATER = {
    "Argument": "photosearch.search.filters",
    "Asked": "photosearch.indexing.formats.picture",
    "DecodeError": "photosearch.indexing.formats.picture",
    "Filter": "photosearch.search.filters",
    "Format": "photosearch.formats",
    "Help": "photosearch.search.filters",
    "Picture": "photosearch.indexing.formats.picture",
    "Read": "photosearch.search.filters",
    "Row": "photosearch.search.filters",
    "WordList": "photosearch.words.language",
    "World": "photosearch.search.filters",
    "image_of": "photosearch.indexing.formats.arrays",
    "refuse_above": "photosearch.indexing.formats.picture",
}


def __getattr__(name: str) -> Any:
    # A search asks what a format is called, and needs none of what reads one.
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
