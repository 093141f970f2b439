"""What a client may give: a photo, and the filters of the box."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Query
from pydantic import Field

from photosearch.search.filters import Argument, Filter, Filters, filters

# What it names is told by `photosearch.photo`; over MCP an error of pydantic would hide the reason.
PhotoName: TypeAlias = Annotated[
    int | str, Field(description="an id, photo:ID, or an absolute path")
]


def filter_parameters() -> Callable[..., Filters]:
    """What makes `Filters` of a request; FastAPI reads its parameters off its signature."""

    def asked(**values: Any) -> Filters:
        return Filters(**values)

    asked.__signature__ = Signature(  # type: ignore[attr-defined]
        [_parameter(one, argument) for one in filters().values() for argument in one.arguments]
    )
    return asked


def filter_fields() -> dict[str, Any]:
    """The same as the fields of a model: a type and the default of each."""
    parameters = [_parameter(one, each) for one in filters().values() for each in one.arguments]
    return {each.name: (each.annotation.__origin__, None) for each in parameters}


def _parameter(one: Filter, argument: Argument) -> Parameter:
    each: Any = str
    if argument.means:
        each = bool
    elif argument.choices:
        each = Literal[argument.choices]
    query = Query(description=(argument.help or one.help).en)
    kind = list[each] if argument.several else each
    return Parameter(
        argument.name,
        Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, query],
    )
