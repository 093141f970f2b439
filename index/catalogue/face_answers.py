"""What somebody said about two groups of faces: one person's, two people's, or not to be told."""

from __future__ import annotations

import json
import sqlite3
from typing import Literal, TypeAlias, get_args

from index.catalogue.connection import Connection

FaceAnswer: TypeAlias = Literal["yes", "no", "unsure"]
ANSWERS: tuple[FaceAnswer, ...] = get_args(FaceAnswer)


class AnswerError(ValueError):
    """An answer that would change nothing, and why."""


class FaceAnswers:
    """`Catalogue.face_answers`. Raises as the catalogue does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[tuple[int, int], FaceAnswer]:
        """What was said, by the two groups."""
        return {
            (group, other): answer
            for group, other, answer in self._connection.rows(
                "SELECT group_id, other_id, answer FROM face_answers"
            )
        }

    def put(self, group: int, other: int, answer: FaceAnswer) -> bool:
        """Say whether they are one person's; whether there are both.

        A yes puts the faces of `other` into `group`, but for those that were refused as its, and
        what was refused as the other's is refused as its.

        Raises `AnswerError` for a yes where all were refused, and as `take_back`, which is what
        was said before.
        """
        with self._connection.write() as db:
            there = db.execute(
                "SELECT count(*) FROM face_groups WHERE id IN (?, ?)", [group, other]
            ).fetchone()[0]
            if there != 2:
                return False
            _take_back(db, group, other)
            moved, refused = _joined(db, group, other) if answer == "yes" else ([], [])
            if answer == "yes" and not moved:
                raise AnswerError(
                    f"no face of {other} may be one of {group}: that was said of each; answer no"
                )
            db.execute(
                "INSERT INTO face_answers VALUES (?, ?, ?, ?, ?)",
                [group, other, answer, json.dumps(moved), json.dumps(refused)],
            )
        return True

    def take_back(self, group: int, other: int) -> bool:
        """Forget what was said; whether anything was. Faces go back to where they were.

        Raises `AnswerError` where a later yes has moved them on.
        """
        with self._connection.write() as db:
            return _take_back(db, group, other)


def _joined(db: sqlite3.Connection, group: int, other: int) -> tuple[list[int], list[int]]:
    """Put the faces of `other` into `group`; those, and the ones that are refused for that."""
    moved = [
        face
        for (face,) in db.execute(
            "SELECT id FROM faces WHERE group_id = ? AND id NOT IN "
            "(SELECT face_id FROM face_refusals WHERE group_id = ?) ORDER BY id",
            [other, group],
        )
    ]
    refused = [
        face
        for (face,) in db.execute(
            "SELECT face_id FROM face_refusals WHERE group_id = ? AND face_id NOT IN "
            "(SELECT face_id FROM face_refusals WHERE group_id = ?) ORDER BY face_id",
            [other, group],
        )
    ]
    db.executemany("UPDATE faces SET group_id = ? WHERE id = ?", [(group, one) for one in moved])
    db.executemany("INSERT INTO face_refusals VALUES (?, ?)", [(one, group) for one in refused])
    return moved, refused


def _take_back(db: sqlite3.Connection, group: int, other: int) -> bool:
    found = db.execute(
        "SELECT group_id, other_id, moved, refused FROM face_answers "
        "WHERE (group_id, other_id) IN ((?, ?), (?, ?))",
        [group, other, other, group],
    ).fetchall()
    for to, back, moved, refused in found:
        for last, *_ in db.execute(
            "SELECT group_id FROM face_answers WHERE other_id = ? AND answer = 'yes' AND EXISTS "
            "(SELECT value FROM json_each(moved) INTERSECT SELECT value FROM json_each(?))",
            [to, moved],
        ):
            raise AnswerError(
                f"the faces of {back} went on from {to} to {last} later; take back {last} and {to} "
                "first"
            )
        db.executemany(
            "UPDATE faces SET group_id = ? WHERE id = ? AND group_id = ?",
            [(back, face, to) for face in json.loads(moved)],
        )
        db.executemany(
            "DELETE FROM face_refusals WHERE face_id = ? AND group_id = ?",
            [(face, to) for face in json.loads(refused)],
        )
        db.execute("DELETE FROM face_answers WHERE group_id = ? AND other_id = ?", [to, back])
    return bool(found)
