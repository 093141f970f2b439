"""What packages add, imported when it is first needed. What is wrong with it costs only itself.

Each kind has one `Group`, where the things are that are added to:

    _PLUGINS = Group("formats", _accept)

    def formats() -> dict[str, Format]:
        _PLUGINS.load()
        return FORMATS
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from photosearch.plugins.announced import Announced, Kind, announced, switched_off


@dataclass(frozen=True)
class Plugin:
    """One thing that a package announces: what it `adds`, or the `problem` for which it does not.

    `name` is that of its entry point.
    """

    kind: Kind
    name: str
    package: str
    version: str
    adds: str = ""
    problem: str = ""

    @property
    def trouble(self) -> str:
        """In one line, why it is not used."""
        package = f"{self.package} {self.version}".strip()
        return f"{package}: its {self.kind[:-1]} {self.name} is not used: {self.problem}"


class PluginError(Exception):
    """What a package adds cannot be used; the message is the reason."""


_lock = threading.RLock()
_known: dict[tuple[Kind, str, str], Plugin] = {}
_told: set[tuple[Kind, str, str]] = set()
_tell: Callable[[Plugin], None] | None = None


class Group:
    """What is announced of one kind.

    `accept` takes the object in and says what it adds, as "format farbfeld (.ff)". It raises
    `PluginError` for one that cannot be used, before anything has changed.
    """

    def __init__(self, kind: Kind, accept: Callable[[Announced, object], str]) -> None:
        self._kind, self._accept = kind, accept
        self._begun = self._done = False

    def load(self) -> None:
        """Import and take in all; what this calls may call it again, and finds what is there."""
        if self._done:
            return
        with _lock:
            if self._begun:
                return
            self._begun = True
            if not switched_off():
                for each in announced():
                    if each.kind == self._kind:
                        self._take(each)
            self._done = True

    def _take(self, each: Announced) -> None:
        plugin = Plugin(each.kind, each.name, each.package, each.version)
        try:
            found = each.load()
        except (Exception, SystemExit) as error:
            _note(replace(plugin, problem=f"{each.value} cannot be imported ({reason(error)})"))
            return
        try:
            _note(replace(plugin, adds=self._accept(each, found)))
        except PluginError as error:
            _note(replace(plugin, problem=str(error)))
        except Exception as error:  # its parts are of any type
            _note(replace(plugin, problem=f"{each.value} is not as it should be ({reason(error)})"))


def reason(error: BaseException) -> str:
    """An error of somebody else's code in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def failed(each: Announced, problem: str) -> None:
    """Note that what was taken in does not work."""
    with _lock:
        _note(Plugin(each.kind, each.name, each.package, each.version, problem=problem))


def known() -> tuple[Plugin, ...]:
    """What became of all that was loaded so far."""
    with _lock:
        return tuple(_known.values())


def tell_to(tell: Callable[[Plugin], None] | None) -> None:
    """Let `tell` have each plugin that is not used, once, also those that are known already."""
    global _tell
    with _lock:
        _tell = tell
        for plugin in _known.values():
            _tell_of(plugin)


def _note(plugin: Plugin) -> None:
    _known[plugin.kind, plugin.package, plugin.name] = plugin
    _tell_of(plugin)


def _tell_of(plugin: Plugin) -> None:
    key = plugin.kind, plugin.package, plugin.name
    if plugin.problem and _tell is not None and key not in _told:
        _told.add(key)
        _tell(plugin)
