"""The arguments of `Filters`, for type checkers. Written by docs/filter_tables.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias, TypedDict

Texts: TypeAlias = str | Sequence[str] | None


class Values(TypedDict, total=False):
    on: date | str | None
    before: date | str | None
    after: date | str | None
    since: date | str | None
    until: date | str | None
    year: int | Sequence[int] | str | None
    month: int | str | None
    file_date: bool | None
    place: Texts
    near: str | tuple[float, ...] | None
    area: str | tuple[float, ...] | None
    folder: Texts
    type: Texts
    shape: Texts
    video: bool | None
    screenshot: bool | None
    favourite: bool | None
    size: Texts
    camera: Texts
    lens: Texts
    rating: int | str | None
    has_gps: bool | None
    has_date: bool | None
    has_text: bool | None
    person: Texts
    people: int | str | None
    album: Texts
    keyword: Texts
    words: Texts
