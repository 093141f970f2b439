"""Faces that were found in photos, and the groups of those that are one person's.

They are kept by the bytes of photos and by the model that found them, apart from everything else,
so that all of it can be dropped at once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.catalogue.connection import Connection
from index.paths import IN_FOLDER, text_to_path

# All that is known of faces, each table after those that refer to it.
TABLES = ("face_answers", "face_refusals", "faces", "face_groups", "face_scans")


@dataclass(frozen=True)
class FoundFace:
    """A face to record: `area` is left, top, width and height in parts of the upright picture.

    `landmarks` (5, 2) are eyes, nose and corners of the mouth, in parts too; `score` how surely it
    is a face, `side` pixels of its smaller side, `sharp` its detail, and `vector` (d,) describes
    it. `seconds` is the moment of a video, None in the picture that stands for it, and in photos.
    """

    area: tuple[float, float, float, float]
    landmarks: NDArray[np.float32]
    score: float
    side: float
    sharp: float
    vector: NDArray[np.float32]
    seconds: float | None = None


@dataclass(frozen=True)
class FaceGroup:
    """Faces of one person, so many in photos that are there, in the order of ids.

    `name` is whose they are, None where nobody has said it. `photo` is the id of one in which the
    face is large and clear, and `area` where it is; in a video in the frame at `seconds`, where
    these are given.
    """

    id: int
    name: str | None
    hidden: bool
    count: int
    photo: int
    area: tuple[float, float, float, float]
    seconds: float | None = None


@dataclass(frozen=True)
class FaceSeen:
    """A face by its number, and where it is: in a photo by its id, and there in `area`, or in a
    video in the frame at `seconds`, None for that which stands for it.
    """

    id: int
    photo: int
    area: tuple[float, float, float, float]
    seconds: float | None = None


@dataclass(frozen=True)
class FaceTable:
    """All faces of a model, by id: arrays of the same length n, vectors (n, d).

    `pictures` are the same for faces in one picture, which the frames of a video each are; `groups`
    numbers of groups, 0 for none. `quality` is (n, 3): score, side, and sharpness.
    """

    ids: NDArray[np.int64]
    pictures: NDArray[np.int64]
    groups: NDArray[np.int64]
    quality: NDArray[np.float32]
    vectors: NDArray[np.float32]

    def of(self, chosen: NDArray[np.bool_]) -> FaceTable:
        """Those `chosen` (n,) of them."""
        return FaceTable(
            self.ids[chosen],
            self.pictures[chosen],
            self.groups[chosen],
            self.quality[chosen],
            self.vectors[chosen],
        )


class Faces:
    """`Catalogue.faces`. Raises as the catalogue does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_back(self) -> None:
        """Tell of no faces by this catalogue any more, nor of people who are known by them."""
        self._connection.shows_faces = False

    def unseen(self, model: str) -> list[tuple[int, str]]:
        """Bytes in which the model has not looked yet, by number, each with a photo's path.

        Photos at addresses are left out, for nothing of their size is here.
        """
        return [
            (content, text_to_path(path))
            for content, path in self._connection.rows(
                f"SELECT content_id, min(path) FROM photos WHERE NOT missing AND {IN_FOLDER} "
                "AND content_id NOT IN (SELECT content_id FROM face_scans WHERE model = ?) "
                "GROUP BY 1 ORDER BY 2",
                [model],
            )
        ]

    def put(self, model: str, found: Mapping[int, Sequence[FoundFace]]) -> None:
        """Record the faces in bytes, also where there are none, in one transaction.

        Bytes that were forgotten meanwhile are passed over.
        """
        with self._connection.write() as db:
            for content, faces in found.items():
                if not db.execute("SELECT 1 FROM contents WHERE id = ?", [content]).fetchone():
                    continue
                db.execute(
                    "INSERT OR IGNORE INTO face_scans (content_id, model) VALUES (?, ?)",
                    [content, model],
                )
                db.execute("DELETE FROM faces WHERE content_id = ? AND model = ?", [content, model])
                db.executemany(
                    "INSERT INTO faces (content_id, model, x, y, width, height, landmarks, "
                    "score, side, sharp, vector, seconds) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        (
                            *(content, model, *one.area),
                            np.asarray(one.landmarks, np.float32).tobytes(),
                            *(one.score, one.side, one.sharp),
                            np.asarray(one.vector, np.float16).tobytes(),
                            one.seconds,
                        )
                        for one in faces
                    ],
                )

    def table(self, model: str) -> FaceTable:
        rows = self._connection.rows(
            "SELECT id, dense_rank() OVER (ORDER BY content_id, seconds), coalesce(group_id, 0), "
            "score, side, sharp, vector FROM faces WHERE model = ? ORDER BY id",
            [model],
        )
        vectors = np.frombuffer(b"".join(row[6] for row in rows), np.float16)
        numbers = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3)
        return FaceTable(
            numbers[:, 0],
            numbers[:, 1],
            numbers[:, 2],
            np.array([row[3:6] for row in rows], np.float32).reshape(-1, 3),
            vectors.reshape(len(rows), -1).astype(np.float32),
        )

    def refusals(self) -> set[tuple[int, int]]:
        """Which faces are not of which groups."""
        return set(self._connection.rows("SELECT face_id, group_id FROM face_refusals"))

    def outlined(self, model: str) -> list[tuple[int, tuple[float, ...], list[dict[str, object]]]]:
        """Faces in no group, where files say where faces are: id, area, regions."""
        rows = self._connection.rows(
            "SELECT faces.id, x, y, faces.width, faces.height, regions "
            "FROM faces JOIN photos USING (content_id) JOIN metadata ON photo_id = photos.id "
            "WHERE model = ? AND group_id IS NULL AND regions <> '[]' GROUP BY faces.id",
            [model],
        )
        return [(face, tuple(area), json.loads(said)) for face, *area, said in rows]

    def assign(self, groups: Mapping[int, int]) -> None:
        """Put faces into groups, by their ids; a group is made for each number below 0."""
        with self._connection.write() as db:
            new = sorted({number for number in groups.values() if number < 0})
            made = {number: _new_group(db) for number in new}
            db.executemany(
                "UPDATE faces SET group_id = ? WHERE id = ?",
                [(made.get(number, number), face) for face, number in groups.items()],
            )

    def group_named(self, name: str) -> int:
        """A group of this name, made when there is none."""
        with self._connection.write() as db:
            found = db.execute("SELECT min(id) FROM face_groups WHERE name = ?", [name]).fetchone()
            return int(found[0]) if found[0] is not None else _new_group(db, name)

    def groups(self) -> list[FaceGroup]:
        """Those with photos that are there, the largest first."""
        if not self._connection.shows_faces:
            return []
        rows = self._connection.rows(
            "SELECT face_groups.id, name, hidden, count(DISTINCT photos.id), "
            "max((seconds IS NULL) || printf('%09.2f', side * min(1, sharp / 10)) || ' ' || "
            "photos.id || ' ' || x || ' ' || y || ' ' || faces.width || ' ' || faces.height || ' ' "
            "|| coalesce(seconds, '')) "
            "FROM face_groups JOIN faces ON group_id = face_groups.id "
            "JOIN photos USING (content_id) WHERE NOT missing GROUP BY 1 ORDER BY 4 DESC, 1"
        )
        return [
            FaceGroup(
                *(number, name, bool(hidden), count, int(photo), _four(area)),
                seconds=float(seconds) if seconds else None,
            )
            for number, name, hidden, count, best in rows
            for _, photo, *area, seconds in [best.split(" ")]
        ]

    def edition(self) -> str:
        """Another one whenever faces came into other groups, or groups became somebody else's."""
        ((faces, last, sum_),) = self._connection.rows(
            "SELECT count(*), coalesce(max(group_id), 0), total(id * group_id) FROM faces "
            "WHERE group_id IS NOT NULL"
        )
        named = self._connection.rows(
            "SELECT id, name FROM face_groups WHERE name IS NOT NULL ORDER BY id"
        )
        names = hashlib.blake2s(json.dumps(named).encode(), digest_size=8).hexdigest()
        return f"{faces}.{last}.{sum_:.0f}.{names}"

    def names(self) -> list[str]:
        """Those of groups, each once, also where no photo is there."""
        rows = self._connection.rows("SELECT DISTINCT name FROM face_groups WHERE name NOT NULL")
        return [name for (name,) in rows]

    def examples(self, groups: Iterable[int], most: int) -> dict[int, list[FaceSeen]]:
        """Of each group some faces in photos that are there, the largest and clearest first."""
        if not self._connection.shows_faces:
            return {}
        rows = self._connection.rows(
            "SELECT group_id, id, photo, x, y, width, height, seconds FROM (SELECT group_id, "
            "faces.id, min(photos.id) AS photo, x, y, faces.width, faces.height, seconds, "
            "row_number() OVER (PARTITION BY group_id ORDER BY seconds IS NOT NULL, "
            "side * min(1, sharp / 10) DESC) AS place "
            "FROM faces JOIN photos USING (content_id) WHERE NOT missing "
            "AND group_id IN (SELECT value FROM json_each(?)) GROUP BY faces.id) "
            "WHERE place <= ? ORDER BY group_id, place",
            [json.dumps(list(groups)), most],
        )
        shown: dict[int, list[FaceSeen]] = {}
        for group, face, photo, left, top, width, height, seconds in rows:
            seen = FaceSeen(face, photo, (left, top, width, height), seconds)
            shown.setdefault(group, []).append(seen)
        return shown

    def name(self, group: int, name: str | None) -> bool:
        """Say whose the faces of a group are; whether there is one of this id.

        One face of nobody is no group: it is in none then.
        """
        with self._connection.write() as db:
            named = db.execute("UPDATE face_groups SET name = ? WHERE id = ?", [name, group])
            if name is None:
                db.execute(
                    "DELETE FROM face_groups WHERE id = ?1 "
                    "AND (SELECT count(*) FROM faces WHERE group_id = ?1) = 1",
                    [group],
                )
            return named.rowcount > 0

    def hide(self, group: int, hidden: bool) -> bool:
        """Leave a group out of lists, or not; whether there is one of this id."""
        with self._connection.write() as db:
            done = db.execute(
                "UPDATE face_groups SET hidden = ? WHERE id = ?", [int(hidden), group]
            )
            return done.rowcount > 0

    def name_face(self, face: int, name: str) -> int | None:
        """Say whose a face is, and with it those of its group, where these are nobody's yet.

        The group that it is in now, None where there is no such face.
        """
        with self._connection.write() as db:
            found = db.execute(
                "SELECT group_id, name FROM faces LEFT JOIN face_groups "
                "ON group_id = face_groups.id WHERE faces.id = ?",
                [face],
            ).fetchone()
            if found is None:
                return None
            group, now = found
            if group is None or now is not None:
                group = _new_group(db)
                db.execute("UPDATE faces SET group_id = ? WHERE id = ?", [group, face])
            db.execute("UPDATE face_groups SET name = ? WHERE id = ?", [name, group])
        return int(group)

    def refuse(self, photo_ids: Iterable[int], names: Iterable[str]) -> list[tuple[int, int]]:
        """Take the faces in photos out of groups with these names for good; which of which."""
        with self._connection.write() as db:
            rows = db.execute(
                "SELECT faces.id, group_id FROM faces JOIN photos USING (content_id) "
                "JOIN face_groups ON group_id = face_groups.id "
                "WHERE photos.id IN (SELECT value FROM json_each(?)) "
                "AND name IN (SELECT value FROM json_each(?)) GROUP BY faces.id",
                [json.dumps(list(photo_ids)), json.dumps(list(names))],
            ).fetchall()
            # No other group of that person is it, either.
            db.executemany(
                "INSERT OR IGNORE INTO face_refusals (face_id, group_id) SELECT ?, id "
                "FROM face_groups WHERE name = (SELECT name FROM face_groups WHERE id = ?)",
                rows,
            )
            db.executemany(
                "UPDATE faces SET group_id = NULL WHERE id = ?", [(face,) for face, _ in rows]
            )
        return [(int(face), int(group)) for face, group in rows]

    def accept(self, refused: Iterable[tuple[int, int]]) -> None:
        """Take back what was refused: faces are in their groups again, where there are both."""
        with self._connection.write() as db:
            for face, group in refused:
                db.execute(
                    "DELETE FROM face_refusals WHERE face_id = ? AND group_id IN (SELECT id "
                    "FROM face_groups WHERE name = (SELECT name FROM face_groups WHERE id = ?))",
                    [face, group],
                )
                db.execute(
                    "UPDATE faces SET group_id = ? "
                    "WHERE id = ? AND ? IN (SELECT id FROM face_groups)",
                    [group, face, group],
                )

    def counts(self, model: str) -> tuple[int, int, int]:
        """In how many photos was looked, how many faces there are, and how many have a name.

        Photos at addresses do not count.
        """
        ((seen,),) = self._connection.rows(
            "SELECT count(*) FROM photos JOIN face_scans USING (content_id) "
            f"WHERE NOT missing AND {IN_FOLDER} AND model = ?",
            [model],
        )
        ((faces, named),) = self._connection.rows(
            "SELECT count(*), count(name) FROM faces LEFT JOIN face_groups "
            "ON group_id = face_groups.id WHERE model = ?",
            [model],
        )
        return int(seen), int(faces), int(named)

    def forget_named(self, names: Iterable[str]) -> int:
        """Drop the faces with these names and all that describes them; how many there were.

        Their photos are not looked at again, so that they stay unknown.
        """
        given = [json.dumps(list(names))]
        named = "SELECT id FROM face_groups WHERE name IN (SELECT value FROM json_each(?))"
        with self._overwriting(), self._connection.write() as db:
            faces = db.execute(f"DELETE FROM faces WHERE group_id IN ({named})", given).rowcount
            db.execute(f"DELETE FROM face_groups WHERE id IN ({named})", given)
        return int(faces)

    def forget(self) -> int:
        """Drop all that is known of faces, and overwrite it on the disk; how many there were."""
        with self._overwriting(), self._connection.write() as db:
            ((faces,),) = db.execute("SELECT count(*) FROM faces").fetchall()
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")
        return int(faces)

    @contextmanager
    def _overwriting(self) -> Iterator[None]:
        """What is dropped meanwhile is overwritten on the disk."""
        self._connection.rows("PRAGMA secure_delete = ON")
        yield
        # What was written before is in the log as well.
        self._connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass(frozen=True)
class NamedFace:
    """A face in a photo: its number, whose it is, "" where nobody has said it, and where.

    `area` is None of one in another frame of a video than that which stands for it.
    """

    id: int
    name: str
    area: tuple[float, float, float, float] | None


def faces_of(connection: Connection, photo_id: int) -> list[NamedFace]:
    """The faces in a photo."""
    if not connection.shows_faces:
        return []
    rows = connection.rows(
        "SELECT faces.id, coalesce(name, ''), seconds, x, y, faces.width, faces.height FROM faces "
        "JOIN photos USING (content_id) LEFT JOIN face_groups ON group_id = face_groups.id "
        "WHERE photos.id = ? ORDER BY score DESC",
        [photo_id],
    )
    return [
        NamedFace(face, name, (left, top, width, height) if seconds is None else None)
        for face, name, seconds, left, top, width, height in rows
    ]


def _new_group(db: sqlite3.Connection, name: str | None = None) -> int:
    return int(db.execute("INSERT INTO face_groups (name) VALUES (?)", [name]).lastrowid or 0)


def _four(texts: Sequence[str]) -> tuple[float, float, float, float]:
    left, top, width, height = map(float, texts)
    return left, top, width, height
