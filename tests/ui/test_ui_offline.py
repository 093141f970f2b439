"""The page where there is no network at all: a network namespace with nothing but loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from in_browser import ask, chromium, open_tile, ready, settled, shows
from optional import needs, needs_chromium
from served import served

ALONE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def can_be_alone() -> bool:
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    return subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.slow,
    needs_chromium,
    needs(can_be_alone(), "to make network namespaces: be root, or allow users theirs"),
]


def test_it_is_used_without_a_route_and_asks_nobody_else(tmp_path: Path, pictures: Path) -> None:
    told = subprocess.run(
        [*ALONE, sys.executable, __file__, str(tmp_path), str(pictures)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert told.returncode == 0, told.stderr
    seen = json.loads(told.stdout.splitlines()[-1])

    assert seen["routes"] == ""
    assert seen["first"] == "chelsea.png"
    assert len(seen["hosts"]) == 1
    assert seen["hosts"][0].startswith("127.0.0.1:")


def use(place: Path, pictures: Path) -> dict[str, object]:
    """A first run, a search and a photo, in a browser, where this process is alone."""
    from urllib.parse import urlsplit

    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    asked: set[str] = set()
    with served(place / "library", None) as server, chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page.goto(server.url)
        ready(page)
        page.get_by_label("Folder with photos").first.fill(str(pictures))
        page.get_by_role("button", name="Start").click()
        page.get_by_text("All photos are indexed").first.wait_for(timeout=120_000)
        first = ask(page, "a cat")[0]
        open_tile(page, first)
        settled(page)
        page.keyboard.press("Escape")
        for tab, question in (("Browse", "month"), ("Library", "library")):
            page.get_by_role("tab", name=tab).click()
            shows(page, f"#place-{tab.lower()}", question)
            settled(page)
    return {"routes": routes, "first": first, "hosts": sorted(host for host in asked if host)}


if __name__ == "__main__":
    print(json.dumps(use(Path(sys.argv[1]), Path(sys.argv[2]))))
