"""Local time from universal time: by the place, or by a clock on the wall that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# Minutes by which zones differ, and how far they go.
_STEP, _WEST, _EAST = 15, -12 * 60, 14 * 60


def local_at(moment: datetime, position: tuple[float, float]) -> datetime | None:
    """The universal time `moment` with the offset that clocks had at the position, then.

    Degrees north and east. None where the zone is not known to this machine.
    """
    # Its table of zones takes 0.3 s and 30 MB, and few photos need it.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    import tzfpy

    name = tzfpy.get_tz(position[1], position[0])
    try:
        return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return None


def offset_between(
    local: datetime, universal: datetime, *, late: float = 0.0, slack: float = 2.0
) -> int | None:
    """Minutes east of Greenwich by which `local` may be the same moment as `universal`.

    That may have been noted up to `late` seconds later. None when they are different moments.
    """
    apart = (local - universal).total_seconds()
    # In the middle of what is allowed, to round.
    minutes = _STEP * round((apart + late / 2) / 60 / _STEP)
    left = apart - minutes * 60
    return minutes if -late - slack <= left <= slack and _WEST <= minutes <= _EAST else None


def universal(seconds: int) -> datetime | None:
    """Universal time, without a zone, so many seconds after the first moment of 1970."""
    try:
        return datetime(1970, 1, 1) + timedelta(seconds=seconds)
    except OverflowError:
        return None
