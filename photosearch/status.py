"""What a library holds, and which of its folders are not there now."""

from __future__ import annotations

from dataclasses import dataclass

from index import Catalogue
from index.shared.address import called
from photosearch.connected import not_connected
from photosearch.model_choice import Cutoffs, ModelChoice


@dataclass(frozen=True)
class Status:
    """What the library holds. `problems` are (path, reason) of files that are not indexed.

    `model` is the id of the one that answers searches, and `encoded` counts the photos, present or
    missing, that have a vector of it. `model_here` is False when its bundle is not here any more.
    `next_model` is the one that will answer when it has encoded all photos; None when none is.
    `others` are the files of other kinds in the folders, by suffix, the most first; `printed` is
    what decoders said of problems, by path. `not_connected` are the folders that are not there now,
    each with how many photos are hidden until it is; they are hidden by the next index run.
    `cutoffs` tells from where it is known which photos do not fit; None where nothing does.
    `judged` counts the marks of what is right and wrong for a query, and `tuned` those that the
    model that answers has learned from; 0 when it has not.
    """

    library: str
    model: str
    folders: list[str]
    photos: int
    encoded: int
    missing: int
    problems: list[tuple[str, str]]
    model_here: bool
    next_model: str | None
    next_encoded: int
    others: dict[str, int]
    printed: dict[str, str]
    not_connected: dict[str, int]
    cutoffs: Cutoffs | None
    judged: int
    tuned: int


def status_of(catalogue: Catalogue, models: ModelChoice) -> Status:
    """What the library holds now. Raises `CatalogueError`; `BundleError` for a damaged model."""
    counts = catalogue.counts()
    answers, here, wanted = models.state()
    problems = catalogue.problems()
    folders = catalogue.folders()
    return Status(
        library=called(catalogue.folder),
        model=answers,
        folders=folders,
        photos=counts.photos,
        encoded=counts.embeddings.get(answers, 0),
        missing=counts.missing,
        problems=[(item.path, item.reason) for item in problems],
        model_here=here,
        next_model=wanted,
        next_encoded=0 if wanted is None else counts.embeddings.get(wanted, 0),
        others=catalogue.others(),
        printed={item.path: item.printed for item in problems if item.printed},
        not_connected={
            folder: catalogue.count_missing(folder) for folder in not_connected(catalogue, folders)
        },
        cutoffs=models.answering_cutoffs(),
        judged=catalogue.verdicts.count(),
        tuned=catalogue.verdicts.learned_from(answers),
    )
