"""When to look again at addresses, none of which tells of changes; and what has come of it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from photosearch.elsewhere.servers import ask_again
from photosearch.indexing.scan import Found, scan_address

# Seconds after which it is indexed though nothing has changed, and of the longest pause.
_LONGEST = 3600.0


@dataclass
class _Look:
    """One look at an address, by a thread: a server that is silent keeps nobody.

    `seen` is then a digest of all that is listed, None where the server is away.
    """

    address: str
    seen: bytes | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        threading.Thread(target=self._do, name="photosearch-look", daemon=True).start()

    def _do(self) -> None:
        try:
            self.seen = listing(self.address)
        finally:
            self.done.set()


@dataclass
class _Watched:
    pause: float
    next: float
    seen: bytes | None = None
    full: float = 0.0
    away: bool = False
    # The last run could not read all of it.
    again: bool = False
    look: _Look | None = None


class Addresses:
    """Looks at each address after `interval` seconds; after more and more where it is away, or
    where photos there cannot be fetched, up to an hour.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._watched: dict[str, _Watched] = {}

    def keep(self, addresses: Collection[str], now: float) -> list[str]:
        """Look at these from now on, and at no others; those that are new."""
        for address in self._watched.keys() - set(addresses):
            del self._watched[address]
        new = [address for address in addresses if address not in self._watched]
        for address in new:
            self._watched[address] = _Watched(self._interval, now)
        return new

    def to_index(self, now: float) -> Iterator[str]:
        """Those to be indexed now, since something there is another; those that went away are
        among them once, so that it is told. What is due is looked at from now on.
        """
        for address, one in list(self._watched.items()):
            if one.look is not None and one.look.done.is_set():
                look, one.look = one.look, None
                one.next = now + one.pause
                if self._is_news(one, look, now):
                    yield address
            elif one.look is None and now >= one.next:
                one.look = _Look(address)

    def _is_news(self, one: _Watched, look: _Look, now: float) -> bool:
        was_away, one.away = one.away, look.seen is None
        if one.away:
            self._wait_longer(one, now)
            return not was_away
        is_news = look.seen != one.seen or one.again or now >= one.full + _LONGEST
        one.seen = look.seen
        return is_news

    def indexed(self, address: str, now: float, *, whole: bool) -> None:
        """It was indexed, and is looked at once more where not the `whole` of it could be read."""
        one = self._watched.get(address)
        if one is None or one.away:
            return
        one.full, one.again = now, not whole
        if whole:
            one.pause, one.next = self._interval, now + self._interval
        else:
            self._wait_longer(one, now)

    def _wait_longer(self, one: _Watched, now: float) -> None:
        one.pause = max(self._interval, min(2 * one.pause, _LONGEST))
        one.next = now + one.pause


def listing(address: str) -> bytes | None:
    """A digest of what is listed below an address, without a file being fetched; None where it
    cannot be listed at all.
    """
    digest = hashlib.blake2b()
    ask_again(address)
    for item in scan_address(address):
        if isinstance(item, Found):
            told = [(item.path, item.stamp), *((one.path, one.stamp) for one in item.sidecars)]
            digest.update(repr(told).encode("utf-8", "surrogatepass"))
        elif item.path == address:
            return None
        else:
            digest.update(item.path.encode("utf-8", "surrogatepass"))
    return digest.digest()
