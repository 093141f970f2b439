"""Making small pictures of photos at addresses where they are not there: no server fetches them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from index import Catalogue
from photosearch.elsewhere.addresses import is_address
from photosearch.encoders.preprocess import Preprocess
from photosearch.indexing.decoding import Decoding
from photosearch.indexing.events import Reread
from photosearch.indexing.gathering import check
from photosearch.indexing.rereading import sizes_elsewhere
from photosearch.indexing.scan import Found
from photosearch.thumbnail_files import keep, place_of


def without_picture(
    catalogue: Catalogue, roots: Sequence[str], files: Mapping[str, Found]
) -> dict[str, bytes]:
    """Recorded photos at addresses, one of each content, with the digest of it."""
    wanted: dict[bytes, str] = {}
    for root in filter(is_address, roots):
        for path, digest in catalogue.digests(root).items():
            if path in files and not place_of(catalogue.folder, digest).is_file():
                wanted.setdefault(digest, path)
    return {path: digest for digest, path in wanted.items()}


def picture_again(
    catalogue: Catalogue,
    preprocess: Preprocess,
    wanted: Mapping[str, bytes],
    files: Mapping[str, Found],
    decoding: Decoding,
    stop: threading.Event | None = None,
) -> Iterator[Reread]:
    """Make those of `wanted`, paths with digests. When `stop` is set, `StoppedError` is raised."""
    sizes = sizes_elsewhere(wanted, files)
    with decoding.pool(preprocess, len(wanted)) as pool:
        for result in pool.decode(list(wanted), task="thumbnail", sizes=sizes):
            if result is not None and isinstance(result.outcome, bytes):
                keep(catalogue.folder, wanted[result.path], result.outcome)
                yield Reread((result.path,))
            check(stop)
