"""Lines of ignore files, in git's syntax, as regular expressions that never take long.

A star takes as little as it can, and what it took is not tried again: of the places where the next
part fits, the first is as good as any. The time a match takes so grows with the length of the name
times that of the line, however many stars are in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# No path is as long.
_LONGEST = 4096
_ANY, _FOLDERS, _STARS = "[^/]", "(?:[^/]++/)", re.compile(r"\*\*+")
_END = r"(?=/|\Z)"


@dataclass(frozen=True)
class Glob:
    """A line: whether what it fits is left out, or taken back in.

    `pattern` is to match whole paths with slashes. `only_folders` tells that files are not meant.
    `last` is the last name in the line.
    """

    left_out: bool
    pattern: re.Pattern[str]
    only_folders: bool
    last: str

    def fits(self, name: str, *, is_folder: bool) -> bool:
        """Whether the line names just this file or folder, and not one above it."""
        return (is_folder or not self.only_folders) and self.pattern.fullmatch(name) is not None


def glob(line: str) -> Glob | None:
    """What `line` names; None of a comment or an empty line.

    Raises `ValueError` when it can name nothing.
    """
    line = _without_blanks(line)
    if not line or line.startswith("#"):
        return None
    left_out = not line.startswith("!")
    path = line if left_out else line[1:]
    only_folders = path.endswith("/")
    path = path.removesuffix("/")
    if len(path) > _LONGEST:
        raise ValueError("is longer than a path can be")
    names = path.removeprefix("/").split("/")
    if not all(names):
        raise ValueError("has a name that is empty")
    if "/" not in path:
        # A name alone may stand anywhere, and in it stars have no meaning of their own.
        names = ["**", _STARS.sub("*", names[0])]
    pattern = re.compile(_regex(names), re.DOTALL)
    return Glob(left_out, pattern, only_folders, names[-1].lstrip("\\"))


def _without_blanks(line: str) -> str:
    """Without the blanks at the end, unless a backslash makes one a part of the name."""
    kept = line.rstrip(" ")
    slashes = len(kept) - len(kept.rstrip("\\"))
    return line[: len(kept) + slashes % 2]


def _regex(names: list[str]) -> str:
    groups: list[list[str]] = [[]]
    for name in names:
        if _STARS.fullmatch(name) is None:
            groups[-1].append(_name(name))
        elif len(groups) == 1 or groups[-1]:
            groups.append([])
    first, *others = ["/".join(group) for group in groups]
    if not others:
        return first
    *between, last = others
    start = f"{first}/" if first else ""
    middle = "".join(f"(?>{_FOLDERS}*?{group}/)" for group in between)
    return start + middle + (f"{_FOLDERS}*{last}" if last else ".+")


def _name(name: str) -> str:
    """One name of a path. Its parts between stars have fixed lengths."""
    first, *others = _parts(name)
    if not others:
        return first
    *between, last = others
    middle = "".join(f"(?>{_ANY}*?{part})" for part in between if part)
    return f"(?>{first}{middle}{_ANY}*{last}{_END})"


def _parts(name: str) -> list[str]:
    parts = [""]
    at = 0
    while at < len(name):
        letter = name[at]
        at += 1
        if letter == "*":
            parts.append("")
        elif letter == "?":
            parts[-1] += _ANY
        elif letter == "[":
            found, at = _choice(name, at)
            parts[-1] += found
        else:
            if letter == "\\":
                letter, at = name[at : at + 1], at + 1
            if not letter:
                raise ValueError("ends with a backslash")
            parts[-1] += re.escape(letter)
    return parts


def _choice(name: str, at: int) -> tuple[str, int]:
    """A choice of letters, as [a-z], that begins at `at`, and where it ends."""
    negated = name[at : at + 1] in ("!", "^")
    at += negated
    choices = ""
    begin = at
    while at == begin or name[at : at + 1] != "]":
        first, at = _letter(name, at)
        last = first
        if name[at : at + 1] == "-" and name[at + 1 : at + 2] not in ("", "]"):
            last, at = _letter(name, at + 1)
        if first <= last:
            choices += f"{re.escape(first)}-{re.escape(last)}"
    if negated:
        choices = f"^/{choices}"
    elif not choices:
        raise ValueError("has only ranges that end before they begin")
    # A slash is in no name.
    return f"(?!/)[{choices}]", at + 1


def _letter(name: str, at: int) -> tuple[str, int]:
    if name[at : at + 2] == "[:":
        raise ValueError("has a class of letters, as [:alpha:], which is not supported")
    at += name[at : at + 1] == "\\"
    if at >= len(name):
        raise ValueError("has a [ that is not closed")
    return name[at], at + 1
