"""The page that asks for the password, without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>photosearch</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 90vh; }}
form {{ display: grid; gap: .75rem; width: min(20rem, 90vw); }}
input, button {{ font: inherit; padding: .6rem .8rem; }}
input, button {{ border: 1px solid #888; border-radius: .5rem; }}
button {{ background: #0f766e; color: #fff; border: 0; }}
</style>
</head>
<body>
<form method="post" action="/login">
<h1>photosearch</h1>
<label for="password">{label}</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus>
<button>{button}</button>
<p role="alert">{message}</p>
</form>
</body>
</html>
"""


def login_page(
    texts: Mapping[str, Mapping[str, str]], accepted: str, *, wrong: bool = False
) -> str:
    """The page in the first language of the header `accepted` that `texts` has."""
    wanted = [part.split(";")[0].strip()[:2].lower() for part in accepted.split(",")]
    language = next((name for name in wanted if name in texts), "en")
    said = texts[language]
    return _PAGE.format(
        language=language,
        label=escape(said["login.password"]),
        button=escape(said["login.open"]),
        message=escape(said["login.wrong"]) if wrong else "",
    )
