"""The models of a library: whether each file of them is as its manifest says."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from index import Catalogue
from photosearch.doctor.finding import Finding, counted, mended
from photosearch.encoders import Bundle, bundled_path
from photosearch.encoders.packaged import packaged
from photosearch.errors import BundleError
from photosearch.model_choice import ModelChoice


@dataclass
class Checked:
    """The length of the vectors of each model that is whole, and which of them answers searches."""

    widths: dict[str, int] = field(default_factory=dict)
    answering: str | None = None


def check_bundled(model: str | os.PathLike[str] | None) -> Iterator[Finding]:
    """Hash the files of the bundle that comes with photosearch, or of the one in folder `model`."""
    yield _hashed(Path(model) if model else bundled_path())[0]


def check_models(
    catalogue: Catalogue, model: str | os.PathLike[str] | None, *, repair: bool
) -> Generator[Finding, None, Checked]:
    """Hash every file of every model that is here.

    A damaged copy of the bundled model is copied anew with `repair`.
    """
    models, checked = ModelChoice(catalogue, model), Checked()
    folders = [bundled_path(), *map(models.store.place, models.store.ids())]
    folders += [bundle.folder for bundle in packaged().values()]
    if models.named is not None and models.named not in folders:
        folders.append(models.named)
    for folder in folders:
        finding, bundle = _hashed(folder)
        if bundle is None and (whole := checked.widths.keys() & {folder.name}):
            if repair:
                models.store.add(bundled_path())
            yield mended("model", finding.text, repair=repair, did=f"{min(whole)} is copied anew")
            continue
        yield finding
        if bundle is not None:
            checked.widths[bundle.id] = bundle.dim
    with suppress(BundleError):
        checked.answering = Bundle.open(models.searching(), verify=False).id
    numbers = catalogue.counts().embeddings
    for bundle_id in sorted(numbers):
        text = f"{counted(numbers[bundle_id], 'photo')} encoded by {bundle_id}"
        if bundle_id == checked.answering:
            yield Finding("vectors", "ok", f"{text}, which answers searches")
        elif models.find(bundle_id) is not None:
            yield Finding("vectors", "note", f"{text}, which does not answer searches")
        elif checked.answering is not None and checked.answering in numbers:
            yield Finding("vectors", "note", f"{text}, which is not here any more")
        else:
            yield Finding(
                "model",
                "wrong",
                f"{text}, which is not here any more, so that nothing can be found",
                "`photosearch index` encodes them by another model, "
                "`photosearch models use FOLDER` brings it back",
            )
    return checked


def _hashed(folder: Path) -> tuple[Finding, Bundle | None]:
    try:
        bundle = Bundle.open(folder)
    except BundleError as error:
        return Finding("model", "wrong", str(error)), None
    return Finding("model", "ok", f"{bundle.id} in {folder} is as it was made"), bundle
