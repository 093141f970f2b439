"""Fits the pages here, which are written to be read on GitHub too, into the site: see mkdocs.yml.

README.md becomes the first page, CHANGELOG.md another. Files outside this folder to which a page
links are put into the site, below `files/`, and the links are changed to point there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parents[1]
# Pages of the site that stand elsewhere in the repository.
_MOVED = {"README.md": "index.md", "CHANGELOG.md": "changes.md"}
_OTHER = "files"
# Where a link or a picture points: [...](HERE), or src="HERE" and href="HERE".
_TARGET = re.compile(r'(?P<before>\]\(|\b(?:src|href)=")(?P<path>[^)"\s#:]+)(?=[#)"])')
# What stands in backquotes is no link.
_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for place, page in _MOVED.items():
        text = (REPOSITORY / place).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    wanted = {_icon(config)}
    for file in files.documentation_pages():
        wanted.update(_outside(file.content_string, _place(file.src_uri)))
    while wanted:
        place = wanted.pop()
        page = _page(place)
        if files.get_file_from_path(page) is not None:
            continue
        data = (REPOSITORY / place).read_bytes()
        files.append(File.generated(config, page, content=data))
        if page.endswith(".md"):
            wanted.update(_outside(data.decode(), place))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    here = page.file.src_uri
    place = _place(here)

    def moved(match: re.Match[str]) -> str:
        target = _resolved(match["path"], place)
        path = posixpath.relpath(_page(target), posixpath.dirname(here) or ".")
        return f"{match['before']}{path}"

    parts = _CODE.split(markdown)
    parts[::2] = [_TARGET.sub(moved, part) for part in parts[::2]]
    return "".join(parts)


def _outside(markdown: str, place: str) -> Iterator[str]:
    """The files outside docs/ to which the page links that stands at `place` in the repository."""
    for part in _CODE.split(markdown)[::2]:
        for match in _TARGET.finditer(part):
            target = _resolved(match["path"], place)
            if not target.startswith("docs/") and target not in _MOVED:
                yield target


def _resolved(path: str, place: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), path))


def _place(page: str) -> str:
    """Where in the repository a page of the site comes from."""
    for place, moved in _MOVED.items():
        if page == moved:
            return place
    return page.removeprefix(f"{_OTHER}/") if page.startswith(f"{_OTHER}/") else f"docs/{page}"


def _page(place: str) -> str:
    """Where in the site a file of the repository is."""
    if place in _MOVED:
        return _MOVED[place]
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    # A browser shows what is called .txt, and asks where to save what has no suffix.
    suffix = "" if posixpath.splitext(place)[1] else ".txt"
    return f"{_OTHER}/{place}{suffix}"


def _icon(config: MkDocsConfig) -> str:
    return _place(str(config.theme["favicon"]))
