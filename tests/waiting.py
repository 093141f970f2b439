"""Index runs that cannot end before a test has stopped them."""

from __future__ import annotations

import os
from pathlib import Path

# Loaded by every interpreter that is started: a worker that comes to the file wait.png stays there
# as long as its parent lives.
_WAITING = """
import os, sys, time
def watch(event, arguments):
    if event == "open" and str(arguments[0]).endswith("wait.png"):
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(0.02)
sys.addaudithook(watch)
"""


def waits_for_ever(folder: Path) -> dict[str, str]:
    """The environment in which a file called wait.png never ends; `folder` is made for it."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_WAITING, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(Path(__file__).parents[1])))}
