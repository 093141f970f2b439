"""What a search gives as JSON, the same on the command line, over HTTP and for MCP.

`result.schema.json` beside this file says what it looks like. `VERSION` goes up when a program
that reads it could stumble: something was taken away or means another thing. What is added does not
change it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from photosearch.search.hits import Hits
from photosearch.search.query import Query

VERSION = 1


def report(hits: Hits) -> dict[str, Any]:
    """The hits, how many there are in all, and what was understood of the query."""
    return {
        "version": VERSION,
        "query": hits.query.text,
        "understood": understood(hits.query),
        "total": hits.total,
        "beyond": hits.beyond,
        "cutoff": hits.cutoff,
        "hits": [asdict(hit) for hit in hits],
    }


def understood(query: Query) -> list[dict[str, Any]]:
    """The parts of the text, in order, for chips that can be edited one by one."""
    return [asdict(part) for part in query.parts]
