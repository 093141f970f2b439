"""What a search gives as JSON, the same on the command line, over HTTP and for MCP.

`result.schema.json` beside this file says what it looks like. `VERSION` goes up when a program
that reads it could stumble: something was taken away or means another thing. What is added does not
change it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from photosearch.search.duplicates import Duplicates, LeftOut, Told
from photosearch.search.hits import Hit, Hits
from photosearch.search.query import Query

if TYPE_CHECKING:
    from photosearch.search.instead import Instead

VERSION = 1

_PLAIN = (
    "photo_id", "path", "score", "width", "height", "taken_at", "taken_source", "moment",
)  # fmt: skip

_ALWAYS = ("start", "end", "kind", "name", "meaning")
# Of a part; left out where there is nothing to say.
_SELDOM = ("language", "read_as", "warning", "filter")


def report(hits: Hits, instead: Instead | None = None) -> dict[str, Any]:
    """The hits, how many there are in all, and what was understood of the query.

    Where nothing was found, `instead` is what to search for in its place.
    """
    found = {
        "version": VERSION,
        "query": hits.query.text,
        "understood": understood(hits.query),
        "total": hits.total,
        "beyond": hits.beyond,
        "cutoff": hits.cutoff,
        "more": hits.more,
        "hits": [_hit(hit) for hit in hits],
    }
    return found if instead is None else found | {"instead": asdict(instead)}


def _hit(hit: Hit) -> dict[str, Any]:
    said = {name: getattr(hit, name) for name in _PLAIN}
    said["group"] = None if hit.group is None else asdict(hit.group) | {"title": hit.group.title}
    said["others"] = [{name: getattr(other, name) for name in _PLAIN} for other in hit.others]
    return said


def report_duplicates(told: Iterable[Told]) -> dict[str, Any]:
    """Photos that are there more than once, the best of each first; and what was left out."""
    found: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    for each in told:
        if isinstance(each, LeftOut):
            left.append(asdict(each))
        else:
            found.append(_duplicates(each))
    return {"version": VERSION, "duplicates": found, "left_out": left}


def _duplicates(each: Duplicates) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "similarity": each.similarity,
        "spare_bytes": each.spare_bytes,
        "photos": [
            {
                "photo_id": photo.id,
                "path": photo.path,
                "bytes": photo.stamp.size,
                "width": photo.width,
                "height": photo.height,
            }
            for photo in each.photos
        ],
    }


def understood(query: Query) -> list[dict[str, Any]]:
    """The parts of the text, in order, for chips that can be edited one by one."""
    told = [
        {name: getattr(part, name) for name in (*_ALWAYS, *_SELDOM)}
        | {"readings": [asdict(one) for one in part.readings]}
        for part in query.parts
    ]
    return [
        {name: value for name, value in part.items() if name in _ALWAYS or value} for part in told
    ]
