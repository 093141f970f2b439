"""Leaving the machine to whoever works at it: `--nice`."""

from __future__ import annotations

import sys


def lower_priority() -> None:
    """Let all other programs go first: for the processor, and for disks where the system has it.

    Of this process, and of those that it starts. What a system refuses stays as it is.
    """
    import psutil

    mine = psutil.Process()
    try:
        if sys.platform == "win32":
            mine.nice(psutil.IDLE_PRIORITY_CLASS)
        else:
            mine.nice(19)
        if sys.platform == "linux":
            mine.ionice(psutil.IOPRIO_CLASS_IDLE)
    except (psutil.Error, OSError):
        return


def on_battery() -> bool:
    """Whether the machine runs on its battery. One without any, or that does not tell, does not."""
    import psutil

    try:
        # Systems that psutil knows no batteries of lack the function.
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (OSError, RuntimeError, ValueError):
        return False
    # Neither is told of a battery that is not used: then it is None.
    return battery is not None and battery.power_plugged is False
