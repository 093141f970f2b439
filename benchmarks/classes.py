"""Photos of ImageNet's classes, each named among all thousand names, by what people would type.

The photos are of sets whose labels the model's heads have not learned; which of their labels it has
as concepts is told apart. ImageNet's own photos have taught its backbones, so those are, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.languages import taught
from benchmarks.not_there import NotThereError
from benchmarks.tables import fill_page, markdown_table, write_text
from photosearch.encoders import open_encoder
from trainer.data.photo_tars import PhotoSample
from trainer.evaluate.captioned import distinct_photos
from trainer.evaluate.classification import classify, top_k
from trainer.relevance.asked import encode_samples, label_of

# What sets call a class otherwise than the list of names.
_ALSO = {"english springer dog": "english springer spaniel", "chain saw": "chainsaw"}
# Made of ImageNet's own photos.
_IMAGENETS = {
    "imagenette": "imagenette (of ImageNet)",
    "tiny-imagenet": "tiny-imagenet (of ImageNet, 64 pixels)",
}
_OTHERS, _CONCEPTS = "other sets", "other sets, labels that are concepts"


@dataclass
class Group:
    """Photos of one kind, and the number of the name of each."""

    photos: list[PhotoSample] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)


def run(bundle: Path, out: Path, *, labelled: Sequence[Path], names: Path) -> None:
    """Write classes.md to `out`; `names` is a JSON list of ImageNet's names.

    Raises `NotThereError` when no photo has one of the names as its label.
    """
    encoder = open_encoder(bundle)
    classes = read_names(names)
    concepts = dict(zip(classes, taught(bundle, encoder, classes), strict=True))
    groups = grouped(distinct_photos(labelled), classes, concepts)
    if not groups:
        raise NotThereError(f"--labelled: no photo is labelled with a name of {names}")
    texts = encoder.encode_texts(classes)
    rows = []
    for kind, group in sorted(groups.items()):
        found = classify(encode_samples(encoder, group.photos).vectors, texts, group.classes)
        figures = [top_k(found, k) for k in (1, 5)]
        cells = [f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})" for one in figures]
        rows.append((kind, f"{len(group.photos):,}", str(len(set(group.classes))), *cells))
    table = markdown_table(("photos of", "photos", "classes among them", "top-1", "top-5"), rows)
    print(table)
    model = encoder.bundle_id.split("-sha256")[0]
    tars = " and ".join(path.name for path in labelled)
    page = fill_page("classes.md", model=model, tars=tars, names=str(len(classes)), table=table)
    write_text(out / "classes.md", page)


def read_names(path: Path) -> list[str]:
    """The distinct names of a JSON list, in small letters."""
    return list(dict.fromkeys(name.lower() for name in json.loads(path.read_text("utf-8"))))


def grouped(
    photos: Iterable[PhotoSample], classes: Sequence[str], concepts: Mapping[str, bool]
) -> dict[str, Group]:
    """The photos whose label is one of `classes`, by where they are from."""
    number = {name: place for place, name in enumerate(classes)}
    groups: dict[str, Group] = {}
    for photo in photos:
        label = label_of(photo.meta) or ""
        label = _ALSO.get(label, label)
        if label in number:
            other = _CONCEPTS if concepts[label] else _OTHERS
            group = groups.setdefault(_IMAGENETS.get(photo.meta.get("source", ""), other), Group())
            group.photos.append(photo)
            group.classes.append(number[label])
    return groups
