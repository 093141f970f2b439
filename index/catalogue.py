"""The catalogue: which photos there are, what is known of them, and their embeddings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from index.bundles import (
    count_waiting,
    drop_vectors,
    put_vector,
    read_choice,
    waiting_for,
    write_choice,
)
from index.changes import changed_since, count_up, forget_changes
from index.companions import (
    put_companions,
    read_companions,
    read_live_ids,
    text_to_companions,
)
from index.connection import Connection
from index.contents import drop_unused, leave_content
from index.embedded import VECTOR, Batch, count_embeddings, read_embeddings
from index.errors import CatalogueError
from index.files import file_at, files_of, newest
from index.frames import FrameLists, Frames, moments, put_frames
from index.health import Health
from index.metadata import put_metadata_of_paths, read_metadata, read_states
from index.paths import below, path_to_text, text_to_path
from index.portable import Portable
from index.readings import Readings
from index.recording import now, put_known, put_photo
from index.records import (
    Counts,
    FileStamp,
    KnownFile,
    Metadata,
    NewPhoto,
    Photo,
    PhotoFile,
    Problem,
    Waiting,
)
from index.saved import SavedSearches
from index.selection import Selection
from index.shelves import Shelves

FILE_NAME = "catalogue.db"


class Catalogue:
    """The SQLite file in a library folder. Use as a context manager, from one thread.

    Readers and one writer at a time work side by side, in any number of processes. What a method
    has written is committed when it returns.

    Every method raises `CatalogueError` when the file cannot be read or written.
    """

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._connection = connection
        self.folder = folder
        self.selection = Selection(connection)
        self.readings = Readings(connection)
        self.saved = SavedSearches(connection)

    @classmethod
    def open(cls, folder: Path, *, readonly: bool = False, timeout: float = 30.0) -> Self:
        """Open the catalogue in `folder`, making both when they do not exist.

        With `readonly` the catalogue must exist and is not changed; SQLite may leave its empty
        log beside it. `timeout` is how many seconds to wait for another process that is writing.

        Raises `CatalogueError` when it cannot be opened: not a catalogue, damaged, of a newer
        version, or not to be read or written here.
        """
        path = folder / FILE_NAME
        if readonly and not path.is_file():
            raise CatalogueError(f"{path}: there is no catalogue here; index a folder first")
        try:
            if not readonly:
                folder.mkdir(parents=True, exist_ok=True)
            return cls(Connection.open(path, readonly=readonly, timeout=timeout), folder)
        except OSError as error:
            raise CatalogueError(
                f"{folder}: cannot be used as a library folder ({error.strerror}); use another"
            ) from error

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def readonly(self) -> bool:
        return self._connection.readonly

    @property
    def health(self) -> Health:
        """What looks through all of it for faults."""
        return Health(self._connection)

    @property
    def portable(self) -> Portable:
        """What copies it, and changes the paths in it."""
        return Portable(self._connection)

    def snapshot(self) -> AbstractContextManager[None]:
        """All that is read inside is of one moment, whatever other processes write meanwhile."""
        return self._connection.snapshot()

    def _state(self, key: str) -> str:
        return str(self._connection.rows("SELECT value FROM state WHERE key = ?", [key])[0][0])

    @property
    def generation(self) -> int:
        """Counts the changes to what can be found."""
        return int(self._state("generation"))

    @property
    def revision(self) -> str:
        """A random name, drawn anew with each generation.

        Unlike the count it is not met again: not in another catalogue, nor in this one after an
        older copy of the file was put back.
        """
        return self._state("revision")

    # Bundles

    @property
    def active_bundle(self) -> str | None:
        """The bundle that searches use, None when none was chosen."""
        return read_choice(self._connection, "active_bundle")

    def use_bundle(self, bundle_id: str) -> None:
        """Choose the bundle that searches use."""
        with self._connection.write() as db:
            write_choice(db, "active_bundle", bundle_id)

    @property
    def wanted_bundle(self) -> str | None:
        """The bundle that searches are to use once it has embedded all; None for the default."""
        return read_choice(self._connection, "wanted_bundle")

    def want_bundle(self, bundle_id: str | None) -> None:
        with self._connection.write() as db:
            write_choice(db, "wanted_bundle", bundle_id)

    def waiting(self, bundle_id: str, *, after: int = 0, limit: int = 1024) -> list[Waiting]:
        """The first contents above id `after` that other bundles have embedded and this has not.

        In order of id; only those of photos that are not missing.
        """
        return waiting_for(self._connection, bundle_id, after, limit)

    def waiting_count(self, bundle_id: str) -> int:
        """How many `waiting` would give in all."""
        return count_waiting(self._connection, bundle_id)

    def embed(
        self,
        bundle_id: str,
        contents: Sequence[int],
        vectors: NDArray[np.floating[Any]],
        frames: Mapping[int, Frames] | None = None,
    ) -> None:
        """Record another bundle's embeddings of known contents, in one transaction.

        `frames` are those of the contents that are films.

        Contents that were dropped meanwhile are left out. Raises as `record` does.
        """
        stored = self._storable(bundle_id, vectors)
        with self._connection.write() as db:
            self._check_width(bundle_id, stored.shape[1])
            for content, vector in zip(contents, stored, strict=True):
                put_vector(db, bundle_id, content, vector.tobytes())
                self._put_frames(db, bundle_id, content, (frames or {}).get(content))
            count_up(db)

    def drop_bundle(self, bundle_id: str) -> int:
        """Drop all embeddings of a bundle, which searches do not use; how many."""
        with self._connection.write() as db:
            return drop_vectors(db, bundle_id)

    # Folders

    def add_folder(self, path: str) -> None:
        """Remember a folder that the user asked to index; a known one stays as it is."""
        with self._connection.write() as db:
            db.execute(
                "INSERT INTO folders (path, added_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [path_to_text(path), now()],
            )

    def folders(self) -> list[str]:
        return [
            text_to_path(row[0])
            for row in self._connection.rows("SELECT path FROM folders ORDER BY 1")
        ]

    # Files

    def stamps(self, folder: str, bundle_id: str) -> dict[str, FileStamp]:
        """Photos below `folder`, or itself, that `bundle_id` has embedded.

        They need no work while their stamp stays the same.
        """
        within, bounds = below(folder)
        rows = self._connection.rows(
            f"""
            SELECT path, size, mtime_ns FROM photos
            WHERE {within}
                AND content_id IN (SELECT content_id FROM embeddings WHERE bundle_id = ?)
            """,
            [*bounds, bundle_id],
        )
        return {text_to_path(path): FileStamp(size, mtime_ns) for path, size, mtime_ns in rows}

    def sizes(self) -> set[int]:
        """Sizes of all files whose digest is known: one of another size is surely new."""
        return {
            row[0]
            for row in self._connection.rows(
                "SELECT DISTINCT size FROM photos JOIN contents ON contents.id = content_id "
                "WHERE digest IS NOT NULL"
            )
        }

    def embedded(self, bundle_id: str, digest: bytes) -> bool:
        """Whether `bundle_id` has embedded a file of these bytes."""
        return bool(
            self._connection.rows(
                """
                SELECT 1 FROM photos JOIN contents ON contents.id = photos.content_id
                    JOIN embeddings ON embeddings.content_id = contents.id
                WHERE digest = ? AND bundle_id = ? LIMIT 1
                """,
                [digest, bundle_id],
            )
        )

    def missing_with(self, digest: bytes) -> list[str]:
        """Paths of the photos of these bytes that are marked missing."""
        rows = self._connection.rows(
            "SELECT path FROM photos JOIN contents ON contents.id = content_id "
            "WHERE digest = ? AND missing ORDER BY path",
            [digest],
        )
        return [text_to_path(row[0]) for row in rows]

    def paths(self, folder: str, *, missing: bool) -> list[str]:
        """Paths of the photos below `folder` that are, or are not, marked missing, in order."""
        within, bounds = below(folder)
        rows = self._connection.rows(
            f"SELECT path FROM photos WHERE {within} AND missing = ? ORDER BY path",
            [*bounds, int(missing)],
        )
        return [text_to_path(row[0]) for row in rows]

    def record(
        self,
        bundle_id: str,
        photos: Sequence[NewPhoto],
        vectors: NDArray[np.floating[Any]],
        frames: Mapping[str, Frames] | None = None,
    ) -> None:
        """Record photos and their embeddings, float (n, d), in one transaction.

        `frames` are those of films, by their paths.

        A photo that is already known by its path keeps its id. If its bytes have changed, or
        its stamp where it comes without a digest, other bundles have not embedded it any more.
        Problems and missing marks of these paths are cleared.

        Raises `CatalogueError` when `vectors` differ in width from those already stored for the
        bundle, or hold anything but finite float16 numbers.
        """
        if vectors.ndim != 2 or len(photos) != len(vectors):
            raise ValueError(f"{len(photos)} photos with vectors of shape {vectors.shape}")
        if not photos:
            return
        stored = self._storable(bundle_id, vectors)
        with self._connection.write() as db:
            self._check_width(bundle_id, stored.shape[1])
            for photo, vector in zip(photos, stored, strict=True):
                content = put_photo(db, photo)
                db.execute(
                    """
                    INSERT INTO embeddings (bundle_id, content_id, vector) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET vector = excluded.vector
                    """,
                    [bundle_id, content, vector.tobytes()],
                )
                self._put_frames(db, bundle_id, content, (frames or {}).get(photo.path))
            count_up(db)

    def _put_frames(
        self, db: sqlite3.Connection, bundle_id: str, content_id: int, frames: Frames | None
    ) -> None:
        seconds = () if frames is None else frames.seconds
        vectors = np.empty((0, 0), VECTOR) if frames is None else frames.vectors
        put_frames(db, bundle_id, content_id, seconds, self._storable(bundle_id, vectors))

    def record_known(self, files: Mapping[KnownFile, str | None]) -> None:
        """Record files whose bytes are embedded already, each with the path that it had before.

        With a path it is a moved file: the photo of that path moves and keeps its id. With None it
        is a copy, which shares the embeddings, or a photo in its place whose stamp has changed.
        """
        if not files:
            return
        with self._connection.write() as db:
            for file, moved_from in files.items():
                put_known(db, file, moved_from)
            count_up(db)

    def drop_unused(self) -> None:
        """Forget the embeddings of bytes that no photo has, not even a missing one."""
        with self._connection.write() as db:
            drop_unused(db)

    def count_below(self, folder: str) -> tuple[int, int]:
        """How many photos are recorded below `folder`, and how many problems and known folders."""
        within, bounds = below(folder)
        photos, problems, folders = (
            self._connection.rows(f"SELECT count(*) FROM {table} WHERE {within}", bounds)[0][0]
            for table in ("photos", "problems", "folders")
        )
        return photos, problems + folders

    def forget(self, folder: str) -> int:
        """Drop the photos, problems and known folders below `folder`; how many photos.

        Embeddings that no other photo shares go too.
        """
        within, bounds = below(folder)
        with self._connection.write() as db:
            forgotten = db.execute(f"DELETE FROM photos WHERE {within}", bounds).rowcount
            db.execute(f"DELETE FROM problems WHERE {within}", bounds)
            db.execute(f"DELETE FROM folders WHERE {within}", bounds)
            drop_unused(db)
            if forgotten:
                count_up(db)
        return int(forgotten)

    def _storable(self, bundle_id: str, vectors: NDArray[np.floating[Any]]) -> NDArray[np.float16]:
        with np.errstate(over="ignore"):
            stored: NDArray[np.float16] = vectors.astype(VECTOR)
        if not np.isfinite(stored).all():
            raise CatalogueError(
                f"{bundle_id}: the model gave vectors that are not finite; use another model"
            )
        return stored

    def _check_width(self, bundle_id: str, width: int) -> None:
        query = "SELECT length(vector) FROM embeddings WHERE bundle_id = ? LIMIT 1"
        for (size,) in self._connection.rows(query, [bundle_id]):
            if size != width * VECTOR.itemsize:
                raise CatalogueError(
                    f"{self.folder / FILE_NAME}: holds vectors of {size // VECTOR.itemsize} "
                    f"numbers for {bundle_id}, and these have {width}; "
                    "the model bundle was altered, fetch it again"
                )

    def record_problems(self, problems: Iterable[Problem]) -> None:
        """List files that could not be indexed, in one transaction.

        A photo whose file has changed since it was embedded can then no longer be found; it keeps
        its id for when the file can be read again.
        """
        with self._connection.write() as db:
            dropped = 0
            for problem in problems:
                text, stamp = path_to_text(problem.path), problem.stamp
                db.execute(
                    "REPLACE INTO problems (path, size, mtime_ns, reason, seen_at) "
                    "VALUES (?, ?, ?, ?, ?)",
                    [
                        text,
                        stamp and stamp.size,
                        stamp and stamp.mtime_ns,
                        path_to_text(problem.reason),
                        now(),
                    ],
                )
                if stamp is not None:
                    dropped += leave_content(db, text, stamp)
            if dropped:
                count_up(db)

    def forget_problems(self, paths: Iterable[str]) -> None:
        """Take files off the list of problems, for instance because they are gone."""
        with self._connection.write() as db:
            for path in paths:
                db.execute("DELETE FROM problems WHERE path = ?", [path_to_text(path)])

    def mark_missing(self, paths: Iterable[str]) -> None:
        """Hide photos whose files are gone; their embeddings are kept for their return."""
        self._mark(paths, missing=True)

    def mark_present(self, paths: Iterable[str]) -> None:
        """Show photos again that were marked missing."""
        self._mark(paths, missing=False)

    def _mark(self, paths: Iterable[str], *, missing: bool) -> None:
        texts = [path_to_text(path) for path in paths]
        if not texts:
            return
        with self._connection.write() as db:
            changed = 0
            for text in texts:
                changed += db.execute(
                    "UPDATE photos SET missing = ? WHERE path = ? AND missing = ?",
                    [int(missing), text, int(not missing)],
                ).rowcount
            if changed:
                count_up(db)

    # Reading

    def photo(self, photo_id: int) -> Photo | None:
        """The photo of this id, or None when there is none."""
        return next(iter(self.photos([photo_id])), None)

    def photos(self, ids: Sequence[int]) -> list[Photo]:
        """The photos of `ids`, in that order; ids that are not there are left out."""
        found: dict[int, Photo] = {}
        for start in range(0, len(ids), 500):  # SQLite limits the parameters of a statement
            part = [int(photo_id) for photo_id in ids[start : start + 500]]
            marks = ",".join("?" * len(part))
            for row in self._connection.rows(
                "SELECT id, path, width, height, format, missing, companions FROM photos "
                f"WHERE id IN ({marks})",
                part,
            ):
                number, text, width, height, form, missing, others = row
                found[number] = Photo(
                    number,
                    text_to_path(text),
                    width,
                    height,
                    form,
                    bool(missing),
                    text_to_companions(others),
                )
        return [found[int(photo_id)] for photo_id in ids if int(photo_id) in found]

    def files(self, ids: Sequence[int]) -> list[PhotoFile]:
        """The files of the photos of `ids`, in that order; ids that are not there are left out."""
        return files_of(self._connection, ids)

    def file_at(self, path: str) -> PhotoFile | None:
        """The file of the photo at `path`, or of the one to which the file there belongs."""
        return file_at(self._connection, path)

    def newest(self, limit: int) -> list[PhotoFile]:
        """The files of the photos that were recorded last, newest first."""
        return newest(self._connection, limit)

    def embeddings(self, bundle_id: str) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Ids int64 (n,), rising, and vectors float16 (n, d) of the photos that can be found.

        (0,) and (0, 0) when there are none.
        """
        batches = list(read_embeddings(self._connection, bundle_id))
        if not batches:
            return np.empty(0, np.int64), np.empty((0, 0), np.float16)
        ids, vectors = zip(*batches, strict=True)
        return np.concatenate(ids), np.concatenate(vectors)

    def embedding_count(self, bundle_id: str) -> int:
        """How many ids and vectors `embeddings` gives."""
        return count_embeddings(self._connection, bundle_id)

    def embedding_batches(
        self, bundle_id: str, *, after: int | None = None, every: int = 1
    ) -> Iterator[Batch]:
        """What `embeddings` gives, a few thousand rows at a time; none when there are none.

        `after` leaves out photos that have not changed since that generation; `every` takes only
        those whose id it divides.
        """
        return read_embeddings(self._connection, bundle_id, after=after, every=every)

    def frames(self, bundle_id: str) -> FrameLists | None:
        """The frames of all films that can be found, None when there are none."""
        return FrameLists.read(self._connection, bundle_id)

    def moments(
        self, bundle_id: str, ids: Sequence[int], query: NDArray[np.float32]
    ) -> dict[int, float]:
        """Of those photos of `ids` that are films: the seconds at which it is most like `query`."""
        return moments(self._connection, bundle_id, ids, query)

    def changed_since(self, generation: int, revision: str) -> NDArray[np.int64] | None:
        """Ids, rising, of the photos that were added, changed or removed after a generation.

        None when this catalogue never was at that generation and revision, or has forgotten it.
        """
        return changed_since(self._connection, generation, revision)

    def forget_changes(self, generation: int) -> None:
        """Forget what changed up to a generation; what was derived from an older one is stale."""
        with self._connection.write() as db:
            forget_changes(db, generation)

    def metadata(self, ids: Sequence[int]) -> dict[int, Metadata]:
        """What is known of the photos of `ids`; those of which nothing is are left out."""
        return read_metadata(self._connection, ids)

    def metadata_states(self, folder: str) -> dict[str, str]:
        """Of the photos below `folder`, or itself, that are there: the note beside the metadata.

        It is empty where no metadata was recorded, or that of another file of the same bytes.
        """
        return read_states(self._connection, folder)

    def record_metadata(self, found: Mapping[str, tuple[Metadata, str]]) -> None:
        """Set what is known of photos, by their paths, and the note beside it.

        Paths of which no photo is recorded are passed over.
        """
        with self._connection.write() as db:
            put_metadata_of_paths(db, found)

    def companions(self) -> dict[str, tuple[str, ...]]:
        """The companions of the photos that are there and have any, by their paths."""
        return read_companions(self._connection)

    def record_companions(self, companions: Mapping[str, tuple[str, ...]]) -> None:
        """Set the companions of recorded photos; these are no photos of their own any more."""
        with self._connection.write() as db:
            if put_companions(db, companions):
                count_up(db)

    def live_ids(self) -> dict[str, str]:
        """By which stills and films of Live Photos know each other, by path; none is missing."""
        return read_live_ids(self._connection)

    @property
    def shelves(self) -> Shelves:
        """Groups of photos, and albums, to look through without a query."""
        return Shelves(self._connection)

    def bundle_ids(self) -> list[str]:
        """The bundles that made the embeddings stored here."""
        return [
            row[0]
            for row in self._connection.rows("SELECT DISTINCT bundle_id FROM embeddings ORDER BY 1")
        ]

    def problems(self) -> list[Problem]:
        """The files that could not be indexed, in order of path."""
        return [
            Problem(
                text_to_path(path),
                None if size is None else FileStamp(size, mtime_ns),
                text_to_path(reason),
            )
            for path, size, mtime_ns, reason in self._connection.rows(
                "SELECT path, size, mtime_ns, reason FROM problems ORDER BY path"
            )
        ]

    def counts(self) -> Counts:
        with self.snapshot():
            by_missing = dict(
                self._connection.rows(
                    """
                    SELECT missing, count(*) FROM photos
                    WHERE content_id IN (SELECT content_id FROM embeddings)
                    GROUP BY missing
                    """
                )
            )
            ((problems,),) = self._connection.rows("SELECT count(*) FROM problems")
            by_bundle = self._connection.rows(
                "SELECT bundle_id, count(*) FROM photos JOIN embeddings USING (content_id) "
                "GROUP BY 1"
            )
        return Counts(by_missing.get(0, 0), by_missing.get(1, 0), problems, dict(by_bundle))
