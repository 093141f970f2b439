"""What the answers look like. They are described here for OpenAPI, and checked by the tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Part(BaseModel):
    """What a part of the text was taken for."""

    start: int
    end: int
    kind: Literal["like", "unlike", "words", "filter"]
    name: str
    meaning: str
    language: str | None = Field(None, description="given for the words, as in de:gift")
    read_as: str | None = Field(None, description="English words in the place of others")
    warning: str | None = Field(None, description="why the model cannot understand the words")


class Understood(BaseModel):
    version: Literal[1]
    query: str
    understood: list[Part]


class Group(BaseModel):
    """A day or an event."""

    key: str
    start: str | None
    end: str | None
    place: str | None
    title: str


class Photo(BaseModel):
    photo_id: int
    path: str
    score: float | None = Field(description="null where only filters were given")
    width: int
    height: int
    taken_at: str | None = Field(description="ISO 8601, as exactly as it is known")
    taken_source: str | None = Field(
        description='where that is from; "mtime" where it is not known'
    )


class Hit(Photo):
    group: Group | None
    others: list[Photo]


class Found(Understood):
    """A page of photos. `total` counts those on all pages, and `more` tells of another page."""

    total: int
    more: bool
    beyond: int = Field(description="left out, since they do not look like the text")
    cutoff: float | None
    hits: list[Hit]


class Details(BaseModel):
    """All that is known of a photo."""

    version: Literal[1]
    photo_id: int
    path: str
    bytes: int
    width: int
    height: int
    format: str
    missing: bool
    metadata: dict[str, Any]
    file_date: str | None = Field(description="when the file was changed last, local time")
    text: str | None = Field(description="what was read in it; null when nobody has looked")


class SavedSearch(BaseModel):
    name: str
    text: str
    sort: str


class Saved(BaseModel):
    version: Literal[1]
    searches: list[SavedSearch]


class State(BaseModel):
    """What the library holds."""

    version: Literal[1]
    library: str
    model: str
    folders: list[str]
    photos: int
    encoded: int
    missing: int
    problems: int
    model_here: bool
    next_model: str | None
    next_encoded: int
    others: dict[str, int] = Field(description="files of other kinds, by suffix")
    not_connected: dict[str, int] = Field(
        description="folders that are not there now, with how many photos are hidden for that"
    )


class Refused(BaseModel):
    """Why there is no answer; `position` is the character of the text where it fails."""

    error: str
    position: int | None = None
