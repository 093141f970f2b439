"""Under which words it is kept that a photo is right for a query, or wrong."""

from __future__ import annotations

from photosearch.errors import UsageError
from photosearch.search.parse import parse
from photosearch.search.query import Described, Query


def judged_text(query: Query) -> str:
    """What the query describes, with the languages that were given for words.

    Raises `UsageError` where photos should look like anything but one description.
    """
    liked = [term.content for term in query.terms if term.weight > 0]
    if len(liked) != 1 or not isinstance(liked[0], Described):
        raise UsageError(
            f"{query.text!r}: photos are marked for one description in words; give one, as in "
            '"a dog on a beach"'
        )
    runs = liked[0].runs or (("", liked[0].text),)
    # In quotes, unless they have such of their own.
    said = [f'{code}:"{words}"' if code and '"' not in words else words for code, words in runs]
    return " ".join(said)


def judged_query(text: str) -> Query:
    """The query that `judged_text` gave; only what is described in it."""
    if ':"' in text:
        query = parse(text)
        if any(isinstance(term.content, Described) for term in query.terms):
            return query
    return parse(text, literal=True)
