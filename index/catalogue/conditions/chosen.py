"""Photos chosen by a function, for what no other condition can say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from index.catalogue.conditions.condition import Simple, Sql
from index.catalogue.records import Metadata, PhotoFile

if TYPE_CHECKING:
    from index.catalogue.connection import Connection

# Photos looked at together, so that not all are in memory at once.
_TOGETHER = 5000


@dataclass(frozen=True)
class Chosen(Simple):
    """For which `holds` is true, of the file and of what it says of itself.

    `name` says all of what is asked: conditions of one name are taken for the same, and their
    photos are kept until the catalogue changes. Each photo is looked at, which takes about a
    second for 100,000.
    """

    name: str
    holds: Callable[[PhotoFile, Metadata], bool] = field(compare=False)

    def query(self, connection: Connection) -> Sql:
        from index.catalogue.files import files_of
        from index.catalogue.metadata import read_metadata

        nothing = Metadata()
        ids = [row[0] for row in connection.rows("SELECT id FROM photos WHERE NOT missing")]
        chosen: list[int] = []
        for start in range(0, len(ids), _TOGETHER):
            files = files_of(connection, ids[start : start + _TOGETHER])
            said = read_metadata(connection, [file.id for file in files])
            chosen += [file.id for file in files if self.holds(file, said.get(file.id, nothing))]
        return "SELECT value FROM json_each(?)", [json.dumps(chosen)]
