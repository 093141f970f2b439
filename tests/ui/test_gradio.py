"""What is changed of Gradio from outside is still needed, and was checked with this version of it.

The table of it is in docs/decisions.md, "What is changed of Gradio, and until when". When a test
here says that something is not needed any more, take it out, and its row with it.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from in_browser import ready
from optional import module, needs_chromium
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from served import Served, served_here

REPOSITORY = Path(__file__).parents[2]
CHECKED = ">=6.31,<6.32"

# What Gradio does, and what to do when it does not.
STILL = {
    "stubs": "it reads no stubs: leave `inspect.getfile` alone in gradio_import.py",
    "head_left_out": "`head` is in the page itself: use it in place of frame.py",
    "of_itself": "its page says nothing of itself any more: let _THEIRS in frame.py go",
    "manifest": "a page without pwa has no manifest: let that go from _THEIRS in frame.py",
    "inline_scripts": "its page has no scripts in it: forbid them in page_guard.py",
    "inline_styles": "its page has no styles in it: forbid them in page_guard.py",
    "unkept": "it says how long its files stay the same: let gradio_files.py go",
    "named_by_content": "a file may change and keep its name: let gradio_files.py go",
    "cross_origin": "it allows no other site anything: page_guard.py need not",
    "buttons_by_label": "its Textbox may show our button: put it there, not from search.js",
    "loops": "it leaves no event loops behind: let _leaving_loops in tests/served.py go",
}

SIGN = """
    window.framesOfSign = 0;
    const atNextFrame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => {
        if (/\\/statustracker-/.test(new Error().stack)) window.framesOfSign += 1;
        return atNextFrame(draw);
    };
"""

WITHOUT_OURS = """() => {
    [...document.styleSheets].find((one) => one.href?.endsWith("/style.css")).disabled = true;
    const box = getComputedStyle(document.querySelector(".gradio-container"));
    const main = getComputedStyle(document.querySelector(".gradio-container .main"));
    return [box.overflow, main.paddingLeft];
}"""


def test_gradio_is_of_the_versions_that_were_checked() -> None:
    installed = version("gradio")
    assert SpecifierSet(CHECKED).contains(installed, prereleases=True), (
        f"Gradio {installed} is installed, and what is changed of it was checked with {CHECKED}: "
        "run tests/ui, look at the page, and write the new range here, in pyproject.toml and in "
        "docs/decisions.md"
    )


def test_the_range_is_the_same_wherever_it_is_said() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(line) for line in project["dependencies"]]
    assert [one.specifier for one in wanted if one.name == "gradio"] == [SpecifierSet(CHECKED)]
    decisions = (REPOSITORY / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert f"`gradio{CHECKED}`" in decisions


@pytest.mark.slow
def test_no_stub_is_written_no_server_imported_and_what_was_put_aside_is_back() -> None:
    module("mcp")
    program = (
        "import inspect, sys\n"
        "before = inspect.getfile\n"
        "stubs = set()\n"
        "def watch(event, given):\n"
        "    if event == 'open' and str(given[0]).endswith('.pyi'):\n"
        "        stubs.add(given[0])\n"
        "sys.addaudithook(watch)\n"
        "import photosearch.ui.app\n"
        "print(sorted(stubs), [name for name in sys.modules if name.partition('.')[0] == 'mcp'])\n"
        "import gradio, mcp\n"
        "print(inspect.getfile is before, inspect.getfile(gradio.Textbox) == gradio.components."
        "textbox.__file__, mcp.types.__name__)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True
    )
    assert told.stdout == "[] []\nTrue True mcp.types\n"


@pytest.fixture(scope="module")
def untouched() -> dict[str, Any]:
    """What Gradio does where nothing of it is changed, by `_look`."""
    told = subprocess.run(
        [sys.executable, __file__],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("fact", STILL)
def test_gradio_still_does(untouched: dict[str, Any], fact: str) -> None:
    assert untouched[fact], STILL[fact]


@pytest.mark.slow
def test_gradio_still_imports_the_mcp_sdk(untouched: dict[str, Any]) -> None:
    module("mcp")
    assert untouched["sdk"], "Gradio leaves mcp alone: need not hide it in gradio_import.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Served]:
    with served_here(tmp_path_factory.mktemp("gradio") / "library", tiny_bundle) as server:
        yield server


@pytest.mark.slow
@needs_chromium
def test_its_sign_of_loading_still_counts_for_ever(page: Any) -> None:
    from playwright.sync_api import TimeoutError as NoSuchFrame

    early = {"content_type": "text/javascript", "body": ""}
    page.route("**/early.js", lambda route: route.fulfill(**early))
    page.add_init_script(SIGN)
    page.reload()
    ready(page)
    seen = page.evaluate("window.framesOfSign")
    try:
        page.wait_for_function("seen => window.framesOfSign > seen + 60", arg=seen)
    except NoSuchFrame:
        pytest.fail("Gradio's sign that the page is loading comes to an end: let early.js go")


@pytest.mark.slow
@needs_chromium
def test_its_own_box_still_has_what_our_styles_undo(page: Any) -> None:
    overflow, margin = page.evaluate(WITHOUT_OURS)
    assert overflow == "hidden", "the box would stick: let `overflow` go from styles/page.css"
    assert margin != "0px", "Gradio has no margins of its own: let `.main` go from styles/page.css"


class _Page(HTMLParser):
    """What is in a page as it is sent."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _look() -> dict[str, Any]:
    import httpx
    from fastapi import FastAPI

    stubs = []

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if event == "open" and str(given[0]).endswith(".pyi"):
            stubs.append(given[0])
            raise PermissionError  # Gradio goes on, and nothing of it is written anew

    sys.addaudithook(watch)
    import gradio

    sdk = "mcp" in sys.modules
    with gradio.Blocks(analytics_enabled=False) as blocks:
        pass
    app = FastAPI()
    gradio.mount_gradio_app(
        app, blocks, path="/", head='<meta name="ours">', ssr_mode=False, pwa=False
    )

    async def asked(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path, headers={"origin": "http://127.0.0.1"})

    answer = asyncio.run(asked("/"))  # noqa: TID251 - in a process of its own
    files = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
    names = [path.name for path in files.iterdir()]
    file = asyncio.run(asked(f"/assets/{names[0]}"))  # noqa: TID251
    tags = _Page(answer.text).tags
    loops = [one for one in gc.get_objects() if isinstance(one, asyncio.AbstractEventLoop)]
    return {
        "stubs": bool(stubs),
        "sdk": sdk,
        "head_left_out": not any(each.get("name") == "ours" for _, each in tags),
        "of_itself": any((each.get("property") or "").startswith("og:") for _, each in tags),
        "manifest": any(each.get("rel") == "manifest" for _, each in tags),
        "inline_scripts": any(tag == "script" and "src" not in each for tag, each in tags),
        "inline_styles": any(tag == "style" or "style" in each for tag, each in tags),
        "unkept": file.is_success and "cache-control" not in file.headers,
        "named_by_content": all(re.search(r"-[\w-]{8,}(\.\w+)+$", name) for name in names),
        "cross_origin": any(name.startswith("access-control-") for name in answer.headers),
        "buttons_by_label": "Only applies if show_label" in (gradio.Textbox.__init__.__doc__ or ""),
        "loops": any(not one.is_closed() for one in loops),
    }


if __name__ == "__main__":
    print(json.dumps(_look()))
