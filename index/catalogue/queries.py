"""What a catalogue is asked: photos, files, vectors and counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.catalogue.bundles import count_waiting, read_choice, waiting_for
from index.catalogue.changes import changed_since
from index.catalogue.companions import read_companions, read_live_ids, text_to_companions
from index.catalogue.embedded import Batch, count_embeddings, read_embeddings
from index.catalogue.files import file_at, files_of, listed, newest
from index.catalogue.frames import FrameLists, best_frames
from index.catalogue.looks import without_looks
from index.catalogue.metadata import read_metadata, read_states
from index.catalogue.opened import OpenCatalogue
from index.catalogue.records import (
    Counts,
    FileStamp,
    ListedPhoto,
    Metadata,
    Photo,
    PhotoFile,
    Problem,
    Waiting,
)
from index.paths import IN_FOLDER, below, below_in_any_form, separator_of, text_to_path


class Queries(OpenCatalogue):
    """The part of `Catalogue` that reads."""

    _counted: tuple[tuple[int, int], Counts] | None = None

    @property
    def active_bundle(self) -> str | None:
        """The bundle that searches use, None when none was chosen."""
        return read_choice(self._connection, "active_bundle")

    @property
    def wanted_bundle(self) -> str | None:
        """The bundle that searches are to use once it has embedded all; None for the default."""
        return read_choice(self._connection, "wanted_bundle")

    def waiting(self, bundle_id: str, *, after: int = 0, limit: int = 1024) -> list[Waiting]:
        """The first contents above id `after` that other bundles have embedded and this has not.

        In order of id; only those of photos that are not missing.
        """
        return waiting_for(self._connection, bundle_id, after, limit)

    def waiting_count(self, bundle_id: str) -> int:
        """How many `waiting` would give in all."""
        return count_waiting(self._connection, bundle_id)

    def folders(self) -> list[str]:
        return [
            text_to_path(row[0])
            for row in self._connection.rows("SELECT path FROM folders ORDER BY 1")
        ]

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

    def digests(self, folder: str) -> dict[str, bytes]:
        """What is in the files of photos below `folder` that are not missing, where it is known."""
        within, bounds = below(folder)
        rows = self._connection.rows(
            "SELECT path, digest FROM photos JOIN contents ON contents.id = content_id "
            f"WHERE {within} AND NOT missing AND digest IS NOT NULL",
            bounds,
        )
        return {text_to_path(path): digest for path, digest in rows}

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

    def count_below(self, folder: str) -> tuple[int, int]:
        """How many photos are recorded below `folder`, and how many problems and known folders."""
        within, bounds = below(folder)
        photos, problems, folders = (
            self._connection.rows(f"SELECT count(*) FROM {table} WHERE {within}", bounds)[0][0]
            for table in ("photos", "problems", "folders")
        )
        return photos, problems + folders

    def count_missing(self, folder: str) -> int:
        """How many photos below `folder` are marked missing."""
        within, bounds = below(folder)
        query = f"SELECT count(*) FROM photos WHERE {within} AND missing"
        return int(self._connection.rows(query, bounds)[0][0])

    def spellings(self, folder: str) -> list[str]:
        """`folder` in each way that its accents are written in paths that are recorded."""
        within, bounds = below_in_any_form(folder)
        separator = separator_of(folder)
        depth = folder.rstrip(separator).count(separator)
        found: dict[str, None] = {}
        for table in ("photos", "problems", "folders"):
            for (text,) in self._connection.rows(
                f"SELECT path FROM {table} WHERE {within}", bounds
            ):
                found[separator.join(text_to_path(text).split(separator)[: depth + 1])] = None
        return list(found)

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

    def listed(self, ids: Sequence[int]) -> list[ListedPhoto]:
        """As `files`, with what a list shows of them."""
        return listed(self._connection, ids)

    def newest(self, limit: int) -> list[ListedPhoto]:
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

    def count_in_folders(self) -> int:
        """How many photos are in folders, and not missing; those at addresses are in none."""
        rows = self._connection.rows(
            f"SELECT count(*) FROM photos WHERE NOT missing AND {IN_FOLDER}"
        )
        return int(rows[0][0])

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
        """The frames of all videos that can be found, None when there are none."""
        return FrameLists.read(self._connection, bundle_id)

    def moments(
        self, bundle_id: str, ids: Sequence[int], query: NDArray[np.float32]
    ) -> dict[int, float]:
        """Of the videos among `ids`: the seconds at which each is most like `query`."""
        best = best_frames(self._connection, bundle_id, ids, query)
        return {photo: seconds for photo, (_, seconds) in best.items()}

    def best_frames(
        self, bundle_id: str, ids: Sequence[int], query: NDArray[np.float32]
    ) -> dict[int, float]:
        """Of the same photos: how like `query` that frame is, as the inner product."""
        best = best_frames(self._connection, bundle_id, ids, query)
        return {photo: score for photo, (score, _) in best.items()}

    def changed_since(self, generation: int, revision: str) -> NDArray[np.int64] | None:
        """Ids, rising, of the photos that were added, changed or removed after a generation.

        None when this catalogue never was at that generation and revision, or has forgotten it.
        """
        return changed_since(self._connection, generation, revision)

    def metadata(self, ids: Sequence[int]) -> dict[int, Metadata]:
        """What is known of the photos of `ids`; those of which nothing is are left out."""
        return read_metadata(self._connection, ids)

    def without_looks(self, folder: str) -> list[str]:
        """Paths of photos below `folder`, one of each content whose look was never recorded."""
        return without_looks(self._connection, folder)

    def metadata_states(self, folder: str) -> dict[str, str]:
        """Of the photos below `folder`, or itself, that are there: the note beside the metadata.

        It is empty where no metadata was recorded, or that of another file of the same bytes.
        """
        return read_states(self._connection, folder)

    def companions(self) -> dict[str, tuple[str, ...]]:
        """The companions of the photos that are there and have any, by their paths."""
        return read_companions(self._connection)

    def live_ids(self) -> dict[str, str]:
        """By which stills and videos of Live Photos know each other, by path; none is missing."""
        return read_live_ids(self._connection)

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
                text_to_path(printed),
            )
            for path, size, mtime_ns, reason, printed in self._connection.rows(
                "SELECT path, size, mtime_ns, reason, printed FROM problems ORDER BY path"
            )
        ]

    def others(self) -> dict[str, int]:
        """How many files of other kinds the folders have, by suffix, the most first."""
        return {
            text_to_path(suffix): files
            for suffix, files in self._connection.rows(
                "SELECT suffix, sum(files) FROM others GROUP BY suffix ORDER BY 2 DESC, 1"
            )
        }

    def counts(self) -> Counts:
        """What the catalogue holds; counted once for as long as it stays as it is."""
        with self.snapshot():
            edition = self._connection.edition
            if self._counted is None or self._counted[0] != edition:
                self._counted = edition, self._count()
        return self._counted[1]

    def _count(self) -> Counts:
        by_missing = dict(
            self._connection.rows(
                """
                SELECT missing, count(*) FROM photos WHERE EXISTS
                    (SELECT 1 FROM embeddings WHERE embeddings.content_id = photos.content_id)
                GROUP BY missing
                """
            )
        )
        ((problems,),) = self._connection.rows("SELECT count(*) FROM problems")
        by_bundle = self._connection.rows(
            "SELECT bundle_id, count(*) FROM photos JOIN embeddings USING (content_id) GROUP BY 1"
        )
        return Counts(by_missing.get(0, 0), by_missing.get(1, 0), problems, dict(by_bundle))
