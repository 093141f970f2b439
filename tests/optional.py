"""What only some machines can test: how a test says what it needs, and what a run left out.

Every reason to leave out a test reads "needs ...", and where something can be done about it, what.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

import pytest
from in_browser import CHROMIUM
from screens import XVFB

# The extra of this package that brings a module.
_EXTRAS = {
    "av": "video",
    "boto3": "dev",
    "coremltools": "trainer",
    "cyclonedx": "dev",
    "imagecodecs": "jxl",
    "matplotlib": "trainer",
    "material": "docs",
    "mcp": "mcp",
    "open_clip": "trainer",
    "prometheus_client": "metrics",
    "ray": "cluster",
    "pyarrow": "cluster",
    "rawpy": "raw",
    "s3fs": "sources",
    "aiohttp": "sources",
    "gcsfs": "gs",
    "adlfs": "az",
    "smbclient": "smb",
    "gcp_storage_emulator.server": "dev",
    "impacket.smbserver": "dev",
    "paramiko": "sources",
    "moto.server": "dev",
    "psycopg": "archive",
    "tifffile": "tiff",
    "timm": "trainer",
    "webview": "desktop",
}


def needs(there: object, what: str) -> pytest.MarkDecorator:
    """Tests that are left out unless `there`; `what` names what they need, and how to get it."""
    return pytest.mark.skipif(not there, reason=f"needs {what}")


def needs_linux(why: str) -> pytest.MarkDecorator:
    return needs(sys.platform == "linux", f"Linux: {why}")


def module(name: str) -> Any:
    """The module of that name; the test, or the file of tests, is left out where there is none."""
    return pytest.importorskip(name, reason=f"needs {_from_extra(name)}")


def leave_out(what: str) -> None:
    """End this test as one that needs something, which is known only now that it runs."""
    pytest.skip(f"needs {what}")


def _from_extra(name: str) -> str:
    return f"{name}: pip install '.[{_EXTRAS[name]}]'"


needs_chromium = needs(CHROMIUM, "chromium: apt-get install chromium")
needs_screen = needs(XVFB, "Xvfb: apt-get install xvfb")
needs_qt = needs(find_spec("qtpy"), "Qt for pywebview: pip install 'pywebview[qt]'")
needs_ray = needs(
    find_spec("ray") and sys.platform == "linux",
    f"Linux (looks into /proc) and {_from_extra('ray')}",
)
AZURITE = shutil.which("azurite-blob")
needs_azurite = needs(AZURITE, "azurite: npm install --global azurite")
needs_node = needs(shutil.which("node"), "node: apt-get install nodejs")
needs_git = needs(shutil.which("git"), "git: apt-get install git")
needs_fork = needs(hasattr(os, "fork"), "a system that forks")
needs_kill = needs(hasattr(signal, "SIGKILL"), "a system with SIGKILL")
needs_limits = needs(find_spec("resource"), "a system that limits the size of files")
needs_pipes = needs(hasattr(os, "mkfifo"), "a system with named pipes")
needs_user = needs(getattr(os, "geteuid", lambda: 0)(), "a user who is not root: root may do all")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", ())
    if lines := left_out(skipped):
        terminalreporter.section("left out")
        for line in lines:
            terminalreporter.write_line(line)


def left_out(reports: Iterable[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    """A line for each reason, with how many tests, or whole files of them, it left out."""
    # All processes of a run report a file that each of them left out.
    reasons = {report.nodeid: _reason(report) for report in reports}
    counts: dict[str, list[int]] = {}
    for node, reason in reasons.items():
        counts.setdefault(reason, [0, 0])["::" not in node] += 1
    return [f"{_counted(*counts[reason])}: {reason}" for reason in sorted(counts)]


def _counted(tests: int, files: int) -> str:
    kinds = ((tests, "test"), (files, "file"))
    return ", ".join(f"{count} {kind}{'s' * (count > 1)}" for count, kind in kinds if count)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")
