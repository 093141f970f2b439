"""The catalogue: which photos there are, what is known of them, and their embeddings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from index.connection import Connection
from index.errors import CatalogueError
from index.paths import below, path_to_text, text_to_path
from index.records import Counts, FileStamp, NewPhoto, Photo, Problem

if TYPE_CHECKING:
    from sqlite_utils import Database

FILE_NAME = "catalogue.db"
# The same bytes on every machine, so that a library can be carried to another.
_VECTOR = np.dtype("<f2")
_ROWS = 4096  # read at a time


class Catalogue:
    """The SQLite file in a library folder. Use as a context manager, from one thread.

    Readers and one writer at a time work side by side, in any number of processes. What a method
    has written is committed when it returns.

    Every method raises `CatalogueError` when the file cannot be read or written.
    """

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._connection = connection
        self.folder = folder

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

    # Folders

    def add_folder(self, path: str) -> None:
        """Remember a folder that the user asked to index; a known one stays as it is."""
        with self._connection.write() as db:
            db.execute(
                "INSERT INTO folders (path, added_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [path_to_text(path), _now()],
            )

    def folders(self) -> list[str]:
        return [
            text_to_path(row[0])
            for row in self._connection.rows("SELECT path FROM folders ORDER BY 1")
        ]

    # Files

    def stamps(self, folder: str, bundle_id: str) -> dict[str, FileStamp]:
        """Files below `folder`, or itself, that need no work while their stamp stays the same.

        These are the photos embedded by `bundle_id`, and the files listed as problems.
        """
        within, bounds = below(folder)
        rows = self._connection.rows(
            f"""
            SELECT path, size, mtime_ns FROM photos
            WHERE {within}
                AND id IN (SELECT photo_id FROM embeddings WHERE bundle_id = ?)
            UNION ALL
            SELECT path, size, mtime_ns FROM problems WHERE {within} AND size IS NOT NULL
            """,
            [*bounds, bundle_id, *bounds],
        )
        return {text_to_path(path): FileStamp(size, mtime_ns) for path, size, mtime_ns in rows}

    def paths(self, folder: str, *, missing: bool) -> list[str]:
        """Paths of the photos below `folder` that are, or are not, marked missing, in order."""
        within, bounds = below(folder)
        rows = self._connection.rows(
            f"SELECT path FROM photos WHERE {within} AND missing = ? ORDER BY path",
            [*bounds, int(missing)],
        )
        return [text_to_path(row[0]) for row in rows]

    def record(
        self, bundle_id: str, photos: Sequence[NewPhoto], vectors: NDArray[np.floating[Any]]
    ) -> None:
        """Record photos and their embeddings, float (n, d), in one transaction.

        A photo that is already known by its path keeps its id. If its stamp has changed, what
        other bundles made of it is dropped. Problems and missing marks of these paths are cleared.

        Raises `CatalogueError` when `vectors` differ in width from those already stored for the
        bundle, or hold anything but finite float16 numbers.
        """
        if vectors.ndim != 2 or len(photos) != len(vectors):
            raise ValueError(f"{len(photos)} photos with vectors of shape {vectors.shape}")
        if not photos:
            return
        with np.errstate(over="ignore"):
            stored = vectors.astype(_VECTOR)
        if not np.isfinite(stored).all():
            raise CatalogueError(
                f"{bundle_id}: the model gave vectors that are not finite; use another model"
            )
        with self._connection.write() as db:
            self._check_width(bundle_id, stored.shape[1])
            for photo, vector in zip(photos, stored, strict=True):
                text = path_to_text(photo.path)
                stamp = [photo.stamp.size, photo.stamp.mtime_ns]
                _drop_outdated(db, text, photo.stamp)
                (photo_id,) = db.execute(
                    """
                    INSERT INTO photos (path, size, mtime_ns, width, height, format, indexed_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (path) DO UPDATE SET
                        size = excluded.size, mtime_ns = excluded.mtime_ns,
                        width = excluded.width, height = excluded.height,
                        format = excluded.format, indexed_at = excluded.indexed_at, missing = 0
                    RETURNING id
                    """,
                    [text, *stamp, photo.width, photo.height, photo.format, _now()],
                ).fetchone()
                db.execute(
                    """
                    INSERT INTO embeddings (bundle_id, photo_id, vector) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET vector = excluded.vector
                    """,
                    [bundle_id, photo_id, vector.tobytes()],
                )
                db.execute("DELETE FROM problems WHERE path = ?", [text])
            _count_up(db)

    def _check_width(self, bundle_id: str, width: int) -> None:
        query = "SELECT length(vector) FROM embeddings WHERE bundle_id = ? LIMIT 1"
        for (size,) in self._connection.rows(query, [bundle_id]):
            if size != width * _VECTOR.itemsize:
                raise CatalogueError(
                    f"{self.folder / FILE_NAME}: holds vectors of {size // _VECTOR.itemsize} "
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
                        _now(),
                    ],
                )
                if stamp is not None:
                    dropped += _drop_outdated(db, text, stamp)
            if dropped:
                _count_up(db)

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
                _count_up(db)

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
                "SELECT id, path, width, height, format, missing FROM photos "
                f"WHERE id IN ({marks})",
                part,
            ):
                number, text, width, height, form, missing = row
                found[number] = Photo(
                    number, text_to_path(text), width, height, form, bool(missing)
                )
        return [found[int(photo_id)] for photo_id in ids if int(photo_id) in found]

    def embeddings(self, bundle_id: str) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
        """Ids int64 (n,), rising, and vectors float16 (n, d) of the photos that can be found.

        (0,) and (0, 0) when there are none.
        """
        ids = [np.empty(0, np.int64)]
        vectors = []
        for rows in self._connection.batches(
            """
            SELECT photo_id, vector FROM embeddings JOIN photos ON photos.id = photo_id
            WHERE bundle_id = ? AND NOT missing ORDER BY photo_id
            """,
            [bundle_id],
            _ROWS,
        ):
            ids.append(np.fromiter((row[0] for row in rows), np.int64, len(rows)))
            flat = np.frombuffer(b"".join(row[1] for row in rows), _VECTOR)
            vectors.append(flat.reshape(len(rows), -1))
        if not vectors:
            return ids[0], np.empty((0, 0), np.float16)
        return np.concatenate(ids), np.concatenate(vectors, dtype=np.float16)

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
                    WHERE EXISTS (SELECT 1 FROM embeddings WHERE photo_id = photos.id)
                    GROUP BY missing
                    """
                )
            )
            ((problems,),) = self._connection.rows("SELECT count(*) FROM problems")
            by_bundle = self._connection.rows(
                "SELECT bundle_id, count(*) FROM embeddings GROUP BY 1"
            )
        return Counts(by_missing.get(0, 0), by_missing.get(1, 0), problems, dict(by_bundle))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _drop_outdated(db: Database, text: str, stamp: FileStamp) -> int:
    """Forget what was made of another state of the file; how many vectors that were."""
    return db.execute(
        """
        DELETE FROM embeddings WHERE photo_id IN (
            SELECT id FROM photos WHERE path = ? AND (size, mtime_ns) <> (?, ?)
        )
        """,
        [text, stamp.size, stamp.mtime_ns],
    ).rowcount


def _count_up(db: Database) -> None:
    """Begin another generation; in the transaction that changes what can be found."""
    db.execute(
        """
        UPDATE state SET value = CASE key
            WHEN 'generation' THEN value + 1 ELSE lower(hex(randomblob(16)))
        END WHERE key IN ('generation', 'revision')
        """
    )
