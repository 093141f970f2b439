"""What Prometheus reads: how many requests, how long they take, and what the library holds."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from photosearch.errors import UsageError
from photosearch.library import Library
from photosearch.serving.library_thread import LibraryThread

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

# Seconds: from what a warm search takes to what nobody waits for.
_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """Counts the requests of an application. Raises `UsageError` without the extra."""

    def __init__(self) -> None:
        if find_spec("prometheus_client") is None:
            raise UsageError(
                "metrics need an extra; install it: pip install 'photosearch[metrics]'"
            )
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry: CollectorRegistry = CollectorRegistry()
        self._requests = Counter(
            "photosearch_requests", "Answers, by route and status.", ("route", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "photosearch_request_seconds", "Time to an answer's last byte.", ("route",),
            registry=self.registry, buckets=_BUCKETS,
        )  # fmt: skip
        self._photos = Gauge("photosearch_photos", "Photos in the library.", registry=self.registry)
        self._problems = Gauge(
            "photosearch_problems", "Files that could not be indexed.", registry=self.registry
        )
        self._waiting = Gauge(
            "photosearch_waiting", "Questions that wait for the library.", registry=self.registry
        )

    async def text(self, library: LibraryThread) -> tuple[bytes, str]:
        """All of it now, and its media type."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        self._waiting.set(library.waiting)
        now = await library.ask(Library.status)
        self._photos.set(now.photos)
        self._problems.set(len(now.problems))
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def note(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)
