"""The catalogue: which photos there are, what is known of them, and their embeddings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.catalogue.bundles import drop_vectors, put_vector, write_choice
from index.catalogue.changes import count_up, forget_changes
from index.catalogue.companions import put_companions
from index.catalogue.contents import drop_unused, leave_content
from index.catalogue.embedded import VECTOR
from index.catalogue.frames import Frames, put_frames
from index.catalogue.looks import put_looks_of_paths
from index.catalogue.metadata import put_metadata_of_paths
from index.catalogue.opened import FILE_NAME
from index.catalogue.queries import Queries
from index.catalogue.recording import now, put_known, put_photo
from index.catalogue.records import KnownFile, Metadata, NewPhoto, Problem
from index.catalogue.verdicts import forget_verdicts
from index.errors import CatalogueError
from index.paths import below, path_to_text


class Catalogue(Queries):
    """The SQLite file in a library folder. Use as a context manager, from one thread.

    Readers and one writer at a time work side by side, in any number of processes. What a method
    has written is committed when it returns.

    Every method raises `CatalogueError` when the file cannot be read or written.
    """

    def use_bundle(self, bundle_id: str) -> None:
        """Choose the bundle that searches use."""
        with self._connection.write() as db:
            write_choice(db, "active_bundle", bundle_id)

    def want_bundle(self, bundle_id: str | None) -> None:
        with self._connection.write() as db:
            write_choice(db, "wanted_bundle", bundle_id)

    def embed(
        self,
        bundle_id: str,
        contents: Sequence[int],
        vectors: NDArray[np.floating[Any]],
        frames: Mapping[int, Frames] | None = None,
    ) -> None:
        """Record another bundle's embeddings of known contents, in one transaction.

        `frames` are those of the contents that are videos.

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

    def add_folder(self, path: str) -> None:
        """Remember a folder that the user asked to index; a known one stays as it is."""
        with self._connection.write() as db:
            db.execute(
                "INSERT INTO folders (path, added_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [path_to_text(path), now()],
            )

    def record(
        self,
        bundle_id: str,
        photos: Sequence[NewPhoto],
        vectors: NDArray[np.floating[Any]],
        frames: Mapping[str, Frames] | None = None,
    ) -> None:
        """Record photos and their embeddings, float (n, d), in one transaction.

        `frames` are those of videos, by their paths.

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

    def forget(self, folder: str) -> int:
        """Drop the photos, problems and known folders below `folder`; how many photos.

        Embeddings that no other photo shares go too, and what was said of these photos.
        """
        within, bounds = below(folder)
        with self._connection.write() as db:
            forgotten = db.execute(f"DELETE FROM photos WHERE {within}", bounds).rowcount
            db.execute(f"DELETE FROM problems WHERE {within}", bounds)
            db.execute(f"DELETE FROM folders WHERE {within}", bounds)
            db.execute(f"DELETE FROM others WHERE {within}", bounds)
            drop_unused(db)
            forget_verdicts(db)
            db.execute(
                "DELETE FROM face_groups WHERE id NOT IN "
                "(SELECT group_id FROM faces WHERE group_id IS NOT NULL)"
            )
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
                    "REPLACE INTO problems (path, size, mtime_ns, reason, printed, seen_at) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        text,
                        stamp and stamp.size,
                        stamp and stamp.mtime_ns,
                        path_to_text(problem.reason),
                        path_to_text(problem.printed),
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

    def record_others(
        self, root: str, others: Mapping[str, Mapping[str, int]], unknown: Sequence[str] = ()
    ) -> None:
        """Put `others`, files by suffix in each folder, in the place of those at `root` and below.

        What is at or below one of `unknown` stays as it was.
        """
        new = {
            (path_to_text(folder), path_to_text(suffix)): files
            for folder, kinds in others.items()
            for suffix, files in kinds.items()
        }
        within, bounds = below(root)
        columns = "SELECT path, suffix, files FROM others WHERE"
        old = {
            (path, kind): n
            for path, kind, n in self._connection.rows(f"{columns} {within}", bounds)
        }
        for place in unknown:
            kept = self._connection.rows(f"{columns} {below(place)[0]}", below(place)[1])
            new |= {(path, kind): files for path, kind, files in kept}
        if new == old:
            return
        with self._connection.write() as db:
            db.execute(f"DELETE FROM others WHERE {within}", bounds)
            db.executemany(
                "REPLACE INTO others (path, suffix, files) VALUES (?, ?, ?)",
                [(*key, files) for key, files in new.items()],
            )

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

    def forget_changes(self, generation: int) -> None:
        """Forget what changed up to a generation; what was made from an older one is stale."""
        with self._connection.write() as db:
            forget_changes(db, generation - self._connection.kept_generations)

    def record_metadata(self, found: Mapping[str, tuple[Metadata, str]]) -> None:
        """Set what is known of photos, by their paths, and the note beside it.

        Paths of which no photo is recorded are passed over.
        """
        with self._connection.write() as db:
            put_metadata_of_paths(db, found)

    def record_looks(self, looks: Mapping[str, bytes]) -> None:
        """Set how photos look, by their paths; empty where nothing does.

        Paths of which no photo is recorded are passed over.
        """
        with self._connection.write() as db:
            put_looks_of_paths(db, looks)

    def record_companions(self, companions: Mapping[str, tuple[str, ...]]) -> None:
        """Set the companions of recorded photos; these are no photos of their own any more."""
        with self._connection.write() as db:
            if put_companions(db, companions):
                count_up(db)
