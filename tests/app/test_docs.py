"""The pages in docs: where their links point, and the site that is built of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from optional import module

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in [
        REPOSITORY / "README.md",
        REPOSITORY / "CHANGELOG.md",
        *(REPOSITORY / "docs").rglob("*.md"),
    ]
)


def prose(page: str) -> str:
    """The page without what it quotes."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return re.sub(r"```.*?```|`[^`\n]*`", lambda code: "x" * len(code[0]), text, flags=re.DOTALL)


def anchors(page: str) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    text = re.sub(
        r"```.*?```", "", (REPOSITORY / page).read_text(encoding="utf-8"), flags=re.DOTALL
    )
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r'\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"', prose(page))
    for target in (first or second for first, second in links):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        assert (REPOSITORY / aim).exists(), f"{page} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors(aim), f"{page} links to {target}, which has no such heading"


def test_each_decision_has_a_date_a_status_and_a_place_in_the_list() -> None:
    text = (REPOSITORY / "docs" / "decisions.md").read_text(encoding="utf-8")
    listed, *decisions = text.split("\n## ")
    for decision in decisions:
        title, _, status = decision.split("\n")[:3]
        assert re.fullmatch(
            r"\*\d{4}-\d\d-\d\d · (in force|superseded (in part )?by)\b.*\*", status
        ), f"{title}: {status}"
        assert listed.count(f"- [{title}](#") == 1, f"{title} is not in the list by subject"


def test_links_to_decisions_from_templates() -> None:
    """Pages of benchmarks are written again from templates, with the links in them."""
    for template in (REPOSITORY / "benchmarks" / "pages").glob("*.md"):
        for anchor in re.findall(r"decisions\.md#([\w-]+)", template.read_text(encoding="utf-8")):
            assert anchor in anchors("docs/decisions.md"), f"{template.name}: #{anchor}"


class Addresses(HTMLParser):
    """What a page loads by itself, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        address = found.get("src") or found.get("href")
        if address and tag == "a":
            self.linked.append(address)
        elif address and found.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(address)


@pytest.mark.slow
def test_the_site(tmp_path: Path) -> None:
    module("material")
    site = tmp_path / "site"
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = {
        path: Addresses(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
        # Its links are for the root of a server.
        if path.name != "404.html"
    }
    for path, page in pages.items():
        for address in page.loaded:
            assert not re.match(r"\w+:|//", address), f"{path.name} loads {address}"
        for address in (*page.loaded, *page.linked):
            if re.match(r"\w+:", address):
                continue
            name, _, anchor = address.partition("#")
            aim = Path(os.path.normpath(path.parent / unquote(name))) if name else path
            assert aim.exists(), f"{path.name} links to {address}, which is not there"
            if anchor and aim in pages and not anchor.startswith("__"):
                assert anchor in pages[aim].ids, f"{path.name} links to {address}"
    assert not list(site.rglob("*.py"))
    assert (site / "search" / "search_index.json").stat().st_size > 100_000
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"url\([\"']?(https?:)?//", styles)
