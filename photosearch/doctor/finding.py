"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

About = Literal["model", "catalogue", "vectors", "photos", "plugin"]
INDEX = "run `photosearch index`"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what `about` it was found, and what to do where that is known.

    `state` is "ok"; "note", for what is no fault, as a drive that is away; "wrong"; or "fixed", for
    what was wrong until now.
    """

    about: About
    state: Literal["ok", "note", "wrong", "fixed"]
    text: str
    advice: str = ""


def counted(number: int, noun: str) -> str:
    """The number with its noun, as in "1 photo" and "2 photos"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def mended(about: About, text: str, *, repair: bool, did: str) -> Finding:
    """What is wrong and could be mended, or, with `repair`, has been by doing what `did` says."""
    if repair:
        return Finding(about, "fixed", f"{text}; {did}")
    return Finding(about, "wrong", text, "`photosearch doctor --repair` mends it")
