"""An index run: scan -> decode -> encode -> record, the stages overlapping."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TypeVar

from index import Catalogue, FaissIndex, FileStamp, KnownFile, NewPhoto, Problem
from index.paths import is_within
from photosearch.connected import not_connected
from photosearch.encoders import Encoder
from photosearch.encoders.typical import TYPICAL
from photosearch.indexing import companions
from photosearch.indexing.decoding import Decoding, Pool
from photosearch.indexing.encoding import encode
from photosearch.indexing.events import (
    Absent,
    Event,
    Failed,
    Finished,
    Indexed,
    Paired,
    Recognised,
    Started,
)
from photosearch.indexing.gathering import Ready, check, gather
from photosearch.indexing.glancing import glance_again
from photosearch.indexing.metadata import dated_alike
from photosearch.indexing.pace import Pace, for_a_while
from photosearch.indexing.picturing import picture_again, without_picture
from photosearch.indexing.places import with_place
from photosearch.indexing.rereading import outdated, reread, sidecars_of, sizes_elsewhere, state_of
from photosearch.indexing.scan import Found, Others, Unreadable, scan
from photosearch.indexing.workers import Trouble
from photosearch.silent_drive import is_there
from photosearch.thumbnail_files import keep

Item = TypeVar("Item")


class IndexRun:
    """One run over `roots`, which `resolve_roots` has checked.

    With `parts` they are what has changed in known folders: photos in a part that is not there are
    gone, and the parts do not become known themselves. When `stop` is set, what is decoded is
    recorded and `StoppedError` raised.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        roots: Sequence[str],
        *,
        decoding: Decoding,
        retry: bool = False,
        parts: bool = False,
        stop: threading.Event | None = None,
    ) -> None:
        self._catalogue, self._encoder, self._roots = catalogue, encoder, roots
        self._parts, self._stop = parts, stop
        self._decoding = decoding
        self._files: dict[str, Found] = {}
        self._retry = retry
        self._pace = Pace()
        self._indexed = self._failed = self._moved = self._reread = 0
        self._recognised: list[str] = []
        self._lost: set[str] = set()
        self._others: Counter[str] = Counter()

    def events(self) -> Generator[Event, None, None]:
        """Do the run. Closing the iterator early keeps, and records, all that is decoded."""
        started = time.monotonic()
        if not self._parts:
            for root in self._roots:
                self._catalogue.add_folder(root)
        whole = set(self._catalogue.folders())
        unreadable: list[Unreadable] = []
        unchanged = 0
        missing = 0
        known: dict[str, FileStamp] = {}
        bad = {item.path: item.stamp for item in self._catalogue.problems()}
        away = set(not_connected(self._catalogue, whole.intersection(self._roots)))
        for root in self._roots:
            if root not in whole and not is_there(root):
                missing += self._hide_missing(root, {}, {}, [])
                self._catalogue.record_others(root, {})
                continue
            if root in away:
                # Of an archive it may well be on other machines.
                alone = self._catalogue.address is None
                here = self._catalogue.paths(root, missing=False) if alone else []
                self._catalogue.mark_missing(here)
                missing += len(here)
                hidden = len(self._catalogue.paths(root, missing=True))
                yield Absent(root, hidden)
                continue
            others: Others = {}
            found, problems = _split(self._until_stopped(scan(root, others)))
            self._catalogue.record_others(root, others, [problem.path for problem in problems])
            for kinds in others.values():
                self._others.update(kinds)
            self._files |= found
            files = {path: item.stamp for path, item in found.items()}
            unreadable += problems
            here_before = self._catalogue.stamps(root, self._encoder.bundle_id)
            known |= here_before
            self._catalogue.mark_present(
                path for path in self._catalogue.paths(root, missing=True) if path in files
            )
            missing += self._hide_missing(root, files, here_before, problems)
        belonging = companions.kept(self._catalogue, self._files)
        changed: list[str] = []
        unsure: list[str] = []
        left = 0
        for path, item in self._files.items():
            if path in belonging:
                continue
            if known.get(path) == item.stamp:
                unchanged += 1
            elif bad.get(path) == item.stamp and not self._retry:
                left += 1
            elif companions.may_belong(item):
                unsure.append(path)
            else:
                changed.append(path)
        to_do = len(changed) + len(unsure) + len(unreadable)
        yield Started(unchanged + left + to_do, unchanged, left)
        for problem in unreadable:
            yield self._fail(problem.path, problem.reason, None)
        if changed:
            yield from self._index(changed)
        yield from self._pair(unsure, belonging)
        yield from self._read_again()
        yield from self._glance_again()
        yield from self._picture_again()
        check(self._stop)
        # Once, at the end: it looks at every content.
        self._catalogue.drop_unused()
        # So that no search has to wait for it.
        FaissIndex.refresh(
            self._catalogue,
            self._encoder.bundle_id,
            lambda: self._encoder.encode_texts(TYPICAL),
            # Of a large file that takes long, and such runs are many.
            whole=not self._parts,
        )
        self._catalogue.selection.refresh()
        yield Finished(
            self._indexed,
            unchanged,
            self._failed,
            missing - self._moved,
            time.monotonic() - started,
            len(self._recognised),
            left,
            self._reread,
            dict(self._others.most_common()),
        )

    def _pair(self, unsure: Sequence[str], belonging: dict[str, str]) -> Iterator[Event]:
        """Index what of `unsure` belongs to no photo; now that the others are recorded, it shows.

        `belonging` are the files of which it is known.
        """
        judged = [
            item
            for path, item in self._files.items()
            if path not in belonging and companions.may_belong(item)
        ]
        recorded: dict[str, FileStamp] = {}
        # Most libraries have nothing to judge, and this reads all that is recorded.
        for root in self._roots if judged else ():
            recorded |= self._catalogue.stamps(root, self._encoder.bundle_id)
        recorded = {path: stamp for path, stamp in recorded.items() if path in self._files}
        for item in judged:
            # Not part of this run, where that is about single files.
            if item.beside is not None and item.beside not in self._files:
                recorded |= self._catalogue.stamps(item.beside, self._encoder.bundle_id)
        waiting = set(unsure)
        own = {path for path in recorded if path not in waiting}
        by_name = companions.owners(self._catalogue, judged, recorded, own)
        found = by_name.owned
        paired = tuple(path for path in unsure if path in found)
        if paired:
            yield Paired(paired)
        rest = [path for path in unsure if path not in found]
        if rest:
            yield from self._index(rest)
        # How they look is known now.
        alike = companions.alike(self._catalogue, self._encoder.bundle_id, by_name.alike)
        found |= alike
        paired = tuple(path for path in rest if path in alike)
        if paired:
            self._uncount(paired)
            yield Paired(paired)
        photos = [path for path in self._files if path not in found and path not in belonging]
        companions.record(self._catalogue, belonging | found, photos)

    def _uncount(self, paths: Sequence[str]) -> None:
        """These were indexed just now, and are no photos of their own after all."""
        again = {path for path in paths if path in self._recognised}
        self._recognised = [path for path in self._recognised if path not in again]
        self._indexed -= len(paths) - len(again)

    def _read_again(self) -> Iterator[Event]:
        """Bring metadata up to date where no picture is decoded: of old photos, and sidecars."""
        paths = outdated(self._catalogue, self._roots, self._files)
        if not paths:
            return
        for event in reread(
            self._catalogue,
            self._encoder.preprocess,
            paths,
            self._files,
            self._decoding,
            self._stop,
        ):
            self._reread += len(event.paths)
            yield event

    def _glance_again(self) -> Iterator[Event]:
        """Note how photos look that were indexed before that was noted."""
        paths = [
            path
            for root in self._roots
            for path in self._catalogue.without_looks(root)
            if path in self._files
        ]
        if paths:
            for event in glance_again(
                self._catalogue,
                self._encoder.preprocess,
                paths,
                self._decoding,
                sizes_elsewhere(paths, self._files),
                self._stop,
            ):
                self._reread += len(event.paths)
                yield event

    def _picture_again(self) -> Iterator[Event]:
        """Make the small pictures of photos at addresses that are not there: nobody else can."""
        wanted = without_picture(self._catalogue, self._roots, self._files)
        if wanted:
            for event in picture_again(
                self._catalogue,
                self._encoder.preprocess,
                wanted,
                self._files,
                self._decoding,
                self._stop,
            ):
                self._reread += len(event.paths)
                yield event

    def _hide_missing(
        self,
        root: str,
        files: dict[str, FileStamp],
        known: dict[str, FileStamp],
        problems: Sequence[Unreadable],
    ) -> int:
        """Mark photos that are gone, and settle problems that are no more.

        What is below a folder that cannot be read is left alone.
        """
        unknown = tuple(problem.path for problem in problems)

        def gone(path: str) -> bool:
            return path not in files and not any(is_within(path, place) for place in unknown)

        lost = [path for path in self._catalogue.paths(root, missing=False) if gone(path)]
        self._catalogue.mark_missing(lost)
        self._lost.update(lost)
        problems_here = (item for item in self._catalogue.problems() if is_within(item.path, root))
        self._catalogue.forget_problems(
            item.path
            for item in problems_here
            # Gone, or a photo that is indexed and can be looked at again.
            if gone(item.path)
            or (
                item.stamp is None
                and item.path in files
                and known.get(item.path) == files[item.path]
            )
        )
        return len(lost)

    def _index(self, paths: Sequence[str]) -> Iterator[Event]:
        """Those whose size was met before are hashed first, and decoded only if their bytes are
        new; the others are surely new, and are hashed as they are decoded.
        """
        sizes = self._catalogue.sizes()
        fresh: list[str] = []
        perhaps: list[str] = []
        for path in paths:
            size = self._files[path].stamp.size
            (perhaps if size in sizes else fresh).append(path)
            sizes.add(size)
        with self._decoding.pool(self._encoder.preprocess, len(paths), self._encoder) as pool:
            if fresh:
                yield from self._decode(pool, fresh)
            waiting = deque(perhaps)
            # Not all at once: only what is decoded and encoded is recorded, so hashing hours of
            # photos first would be lost with a kill.
            while waiting:
                yield from self._compare(pool, for_a_while(waiting))

    def _compare(self, pool: Pool, paths: Iterator[str]) -> Iterator[Event]:
        """Hash files that may be known, and decode those that are not."""
        first: dict[bytes, str] = {}
        twins: dict[str, bytes] = {}
        sizes = sizes_elsewhere(self._files, self._files)
        for result in self._until_stopped(pool.decode(paths, task="digest", sizes=sizes)):
            if result is None:
                continue
            if isinstance(result.outcome, Trouble):
                yield self._trouble(result.path, result.outcome)
            elif isinstance(result.outcome, bytes):
                digest = result.outcome
                if self._catalogue.embedded(self._encoder.bundle_id, digest):
                    yield self._recognise(result.path, digest)
                elif digest in first:
                    twins[result.path] = digest
                else:
                    first[digest] = result.path
        if first:
            yield from self._decode(pool, list(first.values()))
        again = []
        for path, digest in twins.items():
            if self._catalogue.embedded(self._encoder.bundle_id, digest):
                yield self._recognise(path, digest)
            else:
                again.append(path)
        if again:
            yield from self._decode(pool, again)

    def _decode(self, pool: Pool, paths: Sequence[str]) -> Iterator[Event]:
        sidecars = sidecars_of({path: self._files[path] for path in paths})
        results = pool.decode(paths, sidecars=sidecars, sizes=sizes_elsewhere(paths, self._files))
        return gather(results, self._pace, record=self._record, fail=self._trouble, stop=self._stop)

    def _until_stopped(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            check(self._stop)
            yield item

    def _recognise(self, path: str, digest: bytes) -> Recognised:
        """Record a file of known bytes: moved if just one photo of them lost its file."""
        gone = [old for old in self._catalogue.missing_with(digest) if not is_there(old)]
        moved_from = gone[0] if len(gone) == 1 and gone[0] != path else None
        renamed = moved_from is not None and not dated_alike(path, moved_from)
        known = KnownFile(path, self._files[path].stamp, digest, renamed=renamed)
        self._catalogue.record_known({known: moved_from})
        self._moved += moved_from is not None and moved_from in self._lost
        self._recognised.append(path)
        return Recognised((path,))

    def _trouble(self, path: str, trouble: Trouble) -> Failed:
        # Without a stamp the next run tries again, and a photo that was indexed before stays
        # findable.
        stamp = None if trouble.passing else self._files[path].stamp
        return self._fail(path, trouble.reason, stamp, trouble.printed)

    def _record(self, ready: Ready) -> Indexed:
        vectors, frames = encode(self._encoder, [photo for _, photo in ready])
        for _, photo in ready:
            if photo.thumbnail:
                # Who looks at it may not be able to fetch the photo.
                keep(self._catalogue.folder, photo.digest, photo.thumbnail)
        photos = [
            NewPhoto(
                path,
                self._files[path].stamp,
                photo.width,
                photo.height,
                photo.format,
                photo.digest,
                with_place(photo.metadata),
                state_of(self._files[path]),
                look=photo.look,
            )
            for path, photo in ready
        ]
        videos = {ready[number][0]: seen for number, seen in frames.items()}
        self._catalogue.record(self._encoder.bundle_id, photos, vectors, videos)
        self._indexed += len(photos)
        return Indexed(tuple(path for path, _ in ready))

    def _fail(self, path: str, reason: str, stamp: FileStamp | None, printed: str = "") -> Failed:
        self._catalogue.record_problems([Problem(path, stamp, reason, printed)])
        self._failed += 1
        return Failed(path, reason)


def _split(
    found: Iterator[Found | Unreadable],
) -> tuple[dict[str, Found], list[Unreadable]]:
    files: dict[str, Found] = {}
    problems: list[Unreadable] = []
    for item in found:
        if isinstance(item, Found):
            files[item.path] = item
        else:
            problems.append(item)
    return files, problems
