"""A real browser for the tests of the pages; they are skipped where there is no chromium.

Each part of the page says which question it answers (`data-shows`), and whether it waits for an
answer (`aria-busy`). What is here waits for that, so that nothing is taken for the answer that was
on the screen before. What is waited for is written as a function: an expression would be evaluated
in the page again and again, which its policy forbids.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from served import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# The same without windows of its own, which it would draw all the while: a third less to compute.
_WINDOWLESS = shutil.which("chromium-headless-shell")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing listens there: what leaves the machine fails, and the console says so. To be told of
    # each request instead would take a seventh of the time of the tests.
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=127.0.0.1",
)

# What the browser notes of a request that we refused, with a message that the page shows.
REFUSED = "Failed to load resource: the server responded with a status of 400 (Bad Request)"

_ANSWERED = """([text, wanted]) => {
    const place = document.querySelector("#place-results");
    if (place.hasAttribute("aria-busy") || place.dataset.shows === undefined) return false;
    const shown = new URLSearchParams(place.dataset.shows);
    return (shown.get("q") ?? "") === text.trim()
        && Object.entries(wanted).every(([name, value]) =>
            typeof value === "boolean" ? shown.has(name) === value : shown.get(name) === value);
}"""
_LOADED = """() => [...document.images].every((one) => {
    const { top, bottom, left, right, width } = one.getBoundingClientRect();
    const seen = width && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth
        && one.getAttribute("src");
    return !seen || one.complete;
})"""
# The windows of each browser that are closed, by what they were opened with.
_RESTING: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
_STILL = "() => document.getAnimations().every(({ playState }) => playState !== 'running')"


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    program = _WINDOWLESS or CHROMIUM
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def window(browser: Any, server: Served, *, alone: bool = False, **options: Any) -> Iterator[Any]:
    """An empty page of a browser that knows nothing of earlier ones, but may have the files of the
    server: to read them all again takes longer than many a test.

    One in which something is changed that cannot be taken back, as the clock, is to be `alone`.
    """
    options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | options
    resting = _RESTING.setdefault(browser, {})
    key = json.dumps(options, sort_keys=True)
    # Taken out while it is in use: another of the same kind is another window.
    context = (not alone and resting.pop(key, None)) or browser.new_context(**options)
    context.clear_permissions()
    page = context.new_page()
    kept = context.new_cdp_session(page)
    kept.send(
        "Storage.clearDataForOrigin", {"origin": server.url.rstrip("/"), "storageTypes": "all"}
    )
    kept.detach()
    yield page
    for each in context.pages:
        each.close()
    if alone or key in resting:
        context.close()
    else:
        resting[key] = context


@contextmanager
def watched_page(
    browser: Any,
    server: Served,
    *,
    expected: tuple[str, ...] = (REFUSED,),
    address: str = "",
    script: str = "",
    **options: Any,
) -> Iterator[Any]:
    """The page in a `window`, at an `address` of it. It fails the test when anything goes wrong in
    it or leaves the machine, except that the browser may note what is `expected`, with more behind
    it. A `script` runs before those of the page.
    """
    with window(browser, server, **options) as page:
        wrong: list[str] = []
        _watch(page, expected, wrong)
        if script:
            page.add_init_script(script)
        page.goto(server.url + address)
        ready(page)
        yield page
        page.evaluate("0")  # by then all that has gone wrong is told of
        # Requests that are cut off by the closing go wrong as well.
        told = list(wrong)
    assert not told, told


def _watch(page: Any, expected: tuple[str, ...], wrong: list[str]) -> None:
    """Write down what goes wrong in the page."""
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda said: (
            said.type == "error" and not said.text.startswith(expected) and wrong.append(said.text)
        ),
    )


def ready(page: Any) -> None:
    """The page has drawn what it shows at first."""
    page.wait_for_selector("body.ready")


def reload(page: Any) -> None:
    page.reload()
    ready(page)


def results_of(page: Any, text: str, **wanted: str | bool) -> list[str]:
    """The names of the photos on the screen, when they are those for `text`; of many at first
    those that fill it.

    `wanted` is what else they have to be of: `sort`, or whether there is a `picture`, whether
    photos that show the same are stacked (`collapse`), whether it is `everything`.
    """
    wanted = {"picture": False, "everything": False} | wanted
    page.wait_for_function(_ANSWERED, arg=[text, wanted])
    found = page.locator("#results .tile:not(.instead *)")
    return list(found.evaluate_all("all => all.map(one => one.title)"))


def ask(page: Any, text: str, **wanted: str | bool) -> list[str]:
    """Search for a text; the names of the photos that are found."""
    page.get_by_label("Describe a photo").fill(text)
    return results_of(page, text, **wanted)


def open_tile(page: Any, name: str) -> Any:
    """Press the photo of this name among the results; its dialog, when all is in it."""
    page.locator(f"#results .tile[title='{name}']").click()
    return photo_dialog(page, name)


def photo_dialog(page: Any, name: str | None = None) -> Any:
    """The dialog of the photo that was pressed, when all is in it."""
    viewer = page.get_by_role("dialog", name="Photo")
    if name is not None:
        viewer.get_by_role("heading", name=name, exact=True).wait_for()
    viewer.locator("dl").wait_for()
    return viewer


def shows(page: Any, part: str, question: str) -> Any:
    """The part of the page that is called `part` in CSS, when it answers `question`."""
    found = page.locator(f"{part}[data-shows='{question}']:not([aria-busy])")
    found.wait_for(state="attached")
    return found


class Held:
    """Requests of a page that get no answer for now."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.routes: list[Any] = []
        self.over = False

    def take(self, route: Any) -> None:
        if self.over:
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self) -> None:
        """Until there is one."""
        while not self.routes:
            self.page.evaluate("fetch('/manifest.webmanifest').then(answer => answer.json())")

    def let_go(self) -> None:
        """Answer them; the page has the answers by the end."""
        self.over = True
        # Those that the page has given up itself need none.
        for route in [one for one in self.routes if one.request.failure is None]:
            with self.page.expect_event("requestfinished", lambda it, r=route: it == r.request):
                route.continue_()
        self.page.evaluate("fetch('/manifest.webmanifest').then(answer => answer.json())")


@contextmanager
def held_back(page: Any, pattern: str) -> Iterator[Held]:
    """No answers to requests of `pattern`, as from a slow machine, until the end."""
    held = Held(page)
    page.route(pattern, held.take)
    yield held
    held.let_go()
    page.unroute(pattern)


def settled(page: Any) -> None:
    """Nothing is on its way, pictures in sight are there, and nothing moves."""
    page.wait_for_function("() => !document.querySelector('[aria-busy]')")
    page.wait_for_function(_LOADED)
    still(page)


def still(page: Any) -> None:
    """Nothing moves, or changes its colour little by little."""
    page.wait_for_function(_STILL)


def in_timeline(page: Any, name: str) -> Any:
    """The tile of a photo in the timeline, in which only those near the screen are drawn."""
    page.wait_for_function(
        "name => document.querySelector(`#browse .tile[title='${name}']`) || void scrollBy(0, 200)",
        arg=name,
    )
    return page.locator(f"#browse .tile[title='{name}']")
