"""What one source of metadata says, before the sources are put together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime


@dataclass(frozen=True)
class Findings:
    """As `index.Metadata`; `rating` 0 says that no stars are given, None says nothing."""

    taken: tuple[datetime, int | None] | None = None
    position: tuple[float, float] | None = None
    camera: str | None = None
    lens: str | None = None
    exposure_time: float | None = None
    f_number: float | None = None
    iso: int | None = None
    focal_length: float | None = None
    rating: int | None = None
    caption: str | None = None
    keywords: tuple[str, ...] | None = None
    live_id: str | None = None


def first_said(*sources: Findings) -> Findings:
    """Of each field what the first source that has it says."""
    values = {}
    for field in fields(Findings):
        said = (getattr(source, field.name) for source in sources)
        values[field.name] = next((value for value in said if value is not None), None)
    return Findings(**values)
