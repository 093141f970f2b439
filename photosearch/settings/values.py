"""The kinds of values that settings have: how each is read, checked, shown and described.

`parse` takes what was typed, `check` what a TOML file holds. Both give the value, or raise
`ValueError` with what it must be, as in "must be a whole number from 1 to 8".
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct


class Kind(Protocol):
    """`metavar` stands for a value in help texts."""

    @property
    def metavar(self) -> str: ...

    def parse(self, text: str, folder: Path | None = None) -> Any:
        """The value that `text` means; a relative path counts from `folder`."""

    def check(self, value: object, folder: Path | None = None) -> Any:
        """The same of a string, number or truth value of TOML."""

    def range(self) -> str:
        """What may be given, for the documents; does not depend on this machine."""


class Number(Struct, frozen=True):
    """A number from `least` to `most`, whole unless `whole` is False.

    Where `most` depends on the machine it is asked when a value is checked, and `by_machine` says
    what it is.
    """

    least: float
    most: float | Callable[[], int]
    whole: bool = True
    by_machine: str = ""
    metavar: str = "N"

    def parse(self, text: str, folder: Path | None = None) -> int | float:
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            raise ValueError(self._must()) from None
        return self.check(value)

    def check(self, value: object, folder: Path | None = None) -> int | float:
        # True is an int to Python.
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            raise ValueError(self._must())
        if not self.least <= value <= self._limit():
            raise ValueError(self._must())
        return value if self.whole else float(value)

    def range(self) -> str:
        return f"{self._kind()} from {self.least:g} to {self.by_machine or f'{self.most:g}'}"

    def limits(self) -> str:
        """The same as click writes it."""
        most = "" if callable(self.most) else f"<={self.most:g}"
        return f"{self.least:g}<=x{most}" if most else f"x>={self.least:g}"

    def _limit(self) -> float:
        return self.most() if callable(self.most) else self.most

    def _kind(self) -> str:
        return "a whole number" if self.whole else "a number"

    def _must(self) -> str:
        here = ", which this machine can take" if self.by_machine else ""
        return f"must be {self._kind()} from {self.least:g} to {self._limit():g}{here}"


class Choice(Struct, frozen=True):
    """One of a few words, in small letters."""

    names: tuple[str, ...]
    metavar: str = "NAME"

    def parse(self, text: str, folder: Path | None = None) -> str:
        name = text.strip().lower()
        if name not in self.names:
            raise ValueError(f"must be {self.range()}")
        return name

    def check(self, value: object, folder: Path | None = None) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be {self.range()}")
        return self.parse(value)

    def range(self) -> str:
        return f"{', '.join(self.names[:-1])} or {self.names[-1]}"


class Flag(Struct, frozen=True):
    """True or false."""

    metavar: str = "BOOL"
    _words = {"true": True, "yes": True, "on": True, "1": True} | {
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }

    def parse(self, text: str, folder: Path | None = None) -> bool:
        value = self._words.get(text.strip().lower())
        if value is None:
            raise ValueError(f"must be {self.range()}")
        return value

    def check(self, value: object, folder: Path | None = None) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be {self.range()}")
        return value

    def range(self) -> str:
        return "true or false"


class Text(Struct, frozen=True):
    """Any text but an empty one."""

    metavar: str = "TEXT"

    def parse(self, text: str, folder: Path | None = None) -> str:
        return self.check(text)

    def check(self, value: object, folder: Path | None = None) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError("must be a text that is not empty")
        return value

    def range(self) -> str:
        return "text"


class Address(Struct, frozen=True):
    """The address of a server, http:// or https://, without the slash at its end."""

    metavar: str = "URL"

    def parse(self, text: str, folder: Path | None = None) -> str:
        return self.check(text)

    def check(self, value: object, folder: Path | None = None) -> str:
        if isinstance(value, str):
            try:
                parts = urlsplit(value.strip())
                usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            except ValueError:  # a port or an IPv6 address that is none
                usable = False
            if usable:
                return value.strip().rstrip("/")
        raise ValueError(f"must be {self.range()}")

    def range(self) -> str:
        return "an address that begins with http:// or https://"


class Place(Struct, frozen=True):
    """The path of a folder or, unless `is_folder`, of a file; it need not be there yet."""

    is_folder: bool = True
    metavar: str = "PATH"

    def parse(self, text: str, folder: Path | None = None) -> Path:
        path = Path(os.path.expanduser(text))
        if folder is not None:
            path = folder / path
        if path.is_file() if self.is_folder else path.is_dir():
            other = "file" if self.is_folder else "folder"
            raise ValueError(f"must be {self.range()}, and not of a {other}")
        return path

    def check(self, value: object, folder: Path | None = None) -> Path:
        if not isinstance(value, str) or not value:
            raise ValueError(f"must be {self.range()}")
        return self.parse(value, folder)

    def range(self) -> str:
        return f"the path of a {'folder' if self.is_folder else 'file'}"


class HiddenValueError(ValueError):
    """As `ValueError`, of a text that may hold a secret and is not to be shown."""


class LibraryPlace(Place, frozen=True):
    """Where a library is: a folder, or the address of an archive, of which a folder has a copy.

    It is the folder in either case.
    """

    metavar: str = "PLACE"

    def parse(self, text: str, folder: Path | None = None) -> Path:
        if "://" not in text:
            return super().parse(text, folder)
        import platformdirs

        from index.shared.address import folder_of

        archives = platformdirs.user_data_path("photosearch", appauthor=False) / "archives"
        try:
            return folder_of(text, archives)
        except ValueError as error:
            raise HiddenValueError(str(error)) from None

    def range(self) -> str:
        return "the path of a folder, or an address such as postgresql://HOST/NAME"
