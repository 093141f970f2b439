"""Errors of the index as errors of photosearch, at one place: the public members of the library."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from index import CatalogueError
from photosearch.errors import LibraryError

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def explained() -> Iterator[None]:
    """Raises `LibraryError` for a `CatalogueError`; both name the file and what to do."""
    try:
        yield
    except CatalogueError as error:
        raise LibraryError(str(error)) from error


def explaining(cls: C) -> C:
    """Decorates a class: its public methods and properties raise `LibraryError` instead.

    So do the generators that they return, whenever they are driven.
    """
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            setattr(cls, name, member.getter(_guarded(member.fget)))
        elif isinstance(member, classmethod):
            setattr(cls, name, classmethod(_guarded(member.__func__)))
        elif callable(member):
            setattr(cls, name, _guarded(member))
    return cls


def _guarded(function: F | None) -> F:
    assert function is not None

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        with explained():
            given = function(*args, **options)
        return _driven(given) if isinstance(given, Generator) else given

    return cast(F, call)


def _driven(events: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    with explained():
        return (yield from events)
