"""What the answers look like. They are described here for OpenAPI, and checked by the tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class Reading(BaseModel):
    """One of several things that a name may mean."""

    kind: str = Field(description="of a fact; look where the words only say what is seen")
    name: str
    filter: str = Field(description="to put in the place of the words to mean it alone")


class Part(BaseModel):
    """What a part of the text was taken for."""

    start: int
    end: int
    kind: Literal["like", "unlike", "words", "filter", "fact"]
    name: str
    meaning: str
    language: str | None = Field(None, description="given for the words, as in de:gift")
    read_as: str | None = Field(None, description="English words in the place of others")
    warning: str | None = Field(None, description="why the model cannot understand the words")
    filter: str | None = Field(None, description="what asks for nothing but the fact")
    readings: list[Reading] | None = Field(
        None, description="what a name may mean, where that is more than one thing: ask which"
    )


class Understood(BaseModel):
    version: Literal[1]
    query: str
    understood: list[Part]


class GroupedHits(BaseModel):
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
    group: GroupedHits | None
    others: list[Photo]


class Fewer(BaseModel):
    """How many photos there are without one part."""

    what: str
    text: str
    count: int


class Nearest(BaseModel):
    """What photos have that is near to a part that none has."""

    what: str
    by: Literal["place", "date", "name", "spelling"]
    label: str
    text: str
    count: int
    kilometres: float | None


class Instead(BaseModel):
    """What to search for where nothing was found."""

    failed: list[str] = Field(description="parts that no photo has, or looks like")
    nearest: list[Nearest]
    fewer: list[Fewer]


class Found(Understood):
    """A page of photos. `total` counts those on all pages, and `more` tells of another page."""

    total: int
    more: bool
    beyond: int = Field(description="left out, since they do not look like the text")
    cutoff: float | None
    hits: list[Hit]
    instead: Instead | None = Field(None, description="only where nothing was found")
    next: str | None = Field(None, description="the cursor of the next page; null at the end")


class Change(BaseModel):
    """What a photo is now, after something about it changed."""

    photo_id: int
    state: Literal["here", "missing", "dropped"] = Field(
        description="missing while its file is gone; dropped from the library, and its id is free"
    )
    path: str | None = Field(description="null of one that was dropped")


class Changes(BaseModel):
    """Photos in the order in which they changed last."""

    version: Literal[1]
    changes: list[Change]
    next: str = Field(description="what to send as `since` the next time")
    more: bool = Field(description="whether others follow just now")


class Mark(BaseModel):
    """What the user gave a photo, which goes before what its file says."""

    stars: int | None = Field(description="0 to 5; null where the file's own rating counts")
    added: list[str]
    removed: list[str] = Field(description="keywords of the file that do not count")


class PersonSeen(BaseModel):
    """Somebody in a photo."""

    name: str = Field(description="that is shown; empty of a face without one")
    area: tuple[float, float, float, float] | None = Field(
        description="of the face: left, top, width, height, in parts of the upright picture"
    )
    found: bool = Field(description="whether it was found here, and not by another program")
    face: int | None = Field(description="the number of the face that was found")


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
    companions: list[str] = Field(description="paths of the files that belong to it")
    metadata: dict[str, Any] = Field(description="rating and keywords are those that count")
    mark: Mark
    persons: list[PersonSeen]
    file_date: str | None = Field(description="when the file was changed last, local time")
    text: str | None = Field(description="what was read in it; null when nobody has looked")


class Person(BaseModel):
    """Somebody in the photos of the library."""

    name: str = Field(description="that is shown")
    names: list[str] = Field(description="all by which they are found")
    above: list[str] = Field(description="the groups that they are in, the largest first")
    hidden: bool = Field(description="whether lists leave them out")
    count: int = Field(description="photos that they are in")
    cover: int | None = Field(description="the id of a photo of them")
    area: tuple[float, float, float, float] | None = Field(
        description="of the face in the cover: left, top, width, height, in parts of it upright"
    )


class People(BaseModel):
    version: Literal[1]
    people: list[Person]


class SavedSearch(BaseModel):
    name: str
    text: str
    sort: str


class Saved(BaseModel):
    version: Literal[1]
    searches: list[SavedSearch]


class Cutoffs(BaseModel):
    """From where the model knows which photos do not fit; "photos" are those of a library of so
    many, on which that was fitted without labels."""

    source: Literal["model", "photos"]
    photos: int


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
    cutoffs: Cutoffs | None = Field(description="null where searches always find something")
    judged: int = Field(description="marks of what is right and wrong for a query")
    tuned: int = Field(description="those that the model has learned from; 0 when it has not")


class Refused(BaseModel):
    """Why there is no answer; `position` is the character of the text where it fails."""

    error: str
    position: int | None = None


class Several(BaseModel):
    """An answer to each search, in their order."""

    version: Literal[1]
    answers: list[Found | Refused]
