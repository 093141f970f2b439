"""What keeps somebody from using a page, as axe-core finds it, in the light and in the dark."""

from __future__ import annotations

from typing import Any

from in_browser import still

# What these look at differs from light to dark; all else is the same in both.
_OF_COLOURS = ("color-contrast", "link-in-text-block")


def serious(page: Any) -> list[str]:
    """What axe finds on the page as it is."""
    return _found(page, {})


def serious_in_both_themes(page: Any) -> list[str]:
    """The same; and for the other theme, which the page then has, what is a matter of colours."""
    return serious(page) + _found(switched(page), {"runOnly": list(_OF_COLOURS)})


def switched(page: Any) -> Any:
    """The page in the dark if it was light, and the other way round."""
    dark = not page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=dark)
    still(page)
    return page


def _found(page: Any, options: dict[str, Any]) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    answer = Axe().run(page, options={"resultTypes": ["violations"]} | options)
    return [
        f"{found['id']}: {[node['html'][:120] for node in found['nodes']]}"
        for found in answer.response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
