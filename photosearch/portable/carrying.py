"""Writing a library to one file, and making a library of such a file elsewhere."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path

from index import Catalogue, CatalogueError, FaissIndex, WriterLock
from index.catalogue.opened import FILE_NAME
from index.safety.adopting import adopt
from index.safety.lock import IMPORTING
from index.safety.private import make_private_folder
from index.safety.replacing import put_in_place
from index.shared.address import address_of
from index.shared.archive import put
from photosearch import __version__
from photosearch.encoders import Bundle, BundleStore, bundled_path, default_bundle_path
from photosearch.encoders.bundle import MANIFEST
from photosearch.errors import BundleError, LibraryError, UsageError
from photosearch.model_choice import FOLDER as MODEL_FOLDER
from photosearch.model_choice import ModelChoice
from photosearch.portable.archive import CATALOGUE, MODELS, Archive, write_archive
from photosearch.portable.mapping import PathMap

# Beside the file that is written: a folder with this beginning, and the file while it grows.
_EXPORTING, _PART = ".photosearch-export-", "part"
# No export goes on for so long without writing.
_LEFT_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Exported:
    """How many photos were written, how large the file is, and the models that went along."""

    photos: int
    bytes: int
    models: tuple[str, ...]


@dataclass(frozen=True)
class Imported:
    """What an archive holds, and what was made of it.

    `folders` are pairs of a folder there and here. `photos` in all, of which `found` are here now.
    `model` has encoded most of them; it can search when it is `model_here`. `kept` is where the
    library that was replaced is.
    """

    folders: tuple[tuple[str, str], ...]
    photos: int
    found: int
    model: str | None
    model_here: bool
    kept: Path | None = None


def export_library(
    catalogue: Catalogue,
    models: ModelChoice,
    file: Path,
    *,
    overwrite: bool,
    with_models: bool,
    with_faces: bool,
) -> Exported:
    """Write a library to `file`; what is there before stays until the new one is complete.

    Raises `UsageError` when there is something and not `overwrite`; `BundleError` when a model
    that is to go along is damaged; `LibraryError`; `CatalogueError`.
    """
    _check_free(file, overwrite)
    try:
        _clear(file.parent)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=_EXPORTING) as name:
            workshop = Path(name)
            copy = workshop / FILE_NAME
            catalogue.portable.copy_to(copy, with_faces=with_faces)
            with Catalogue.open(workshop, readonly=True) as copied:
                # Of the copy, which is of one moment.
                counts, folders = copied.counts(), copied.folders()
            members = {CATALOGUE: copy}
            if with_models:
                members |= dict(_members(models, counts.embeddings))
            about = {
                "photosearch": __version__,
                "separator": os.sep,
                "folders": folders,
                "photos": counts.photos + counts.missing,
                "models": counts.embeddings,
            }
            part = workshop / _PART
            write_archive(part, members, about)
            size = part.stat().st_size
            _check_free(file, overwrite)
            part.replace(file)
    except OSError as error:
        raise LibraryError(
            f"{file}: cannot be written ({error.strerror or error}); name another place"
        ) from error
    carried = {name.split("/")[1] for name in members if name.startswith(MODELS)}
    return Exported(counts.photos + counts.missing, size, tuple(sorted(carried)))


def _clear(folder: Path) -> None:
    """Remove what a killed export left in a folder of the user's, and nothing else."""
    for left in folder.glob(f"{_EXPORTING}*"):
        with suppress(OSError):
            names = {path.name for path in left.iterdir()}
            is_old = left.stat().st_mtime < time.time() - _LEFT_SECONDS
            if is_old and not left.is_symlink() and all(map(_is_ours, names)):
                shutil.rmtree(left)


def _is_ours(name: str) -> bool:
    return name == _PART or name.startswith(FILE_NAME)


def _check_free(file: Path, overwrite: bool) -> None:
    if file.is_dir():
        raise UsageError(f"{file}: is a folder; name a file to export to")
    if not overwrite and os.path.lexists(file):
        raise UsageError(f"{file}: is there already; name another file, or use --overwrite")


def _members(models: ModelChoice, encoded: dict[str, int]) -> Iterator[tuple[str, Path]]:
    for bundle_id in sorted(encoded):
        folder = models.find(bundle_id)
        if folder is not None:
            bundle = Bundle.open(folder)
            for name in (*bundle.manifest["files"], MANIFEST):
                yield f"{MODELS}{bundle_id}/{name}", folder / name


def import_library(
    folder: Path,
    file: Path,
    maps: Sequence[str],
    model: str | os.PathLike[str] | None,
    *,
    replace: bool,
    dry_run: bool,
) -> Imported:
    """Make a library in `folder` of an exported one; all of it, or nothing is changed.

    Raises `UsageError` when there is one already and not `replace`, or for a map that does not fit;
    `LibraryError` when the file is damaged or something cannot be written; `CatalogueError`.
    """
    address = address_of(folder)
    if address is not None and not dry_run:
        _check_empty(folder, address)
    there = address is None and os.path.lexists(folder / FILE_NAME)
    if there and not (replace or dry_run):
        raise UsageError(
            f"{folder}: there is a library already; name another with --library, or use --replace, "
            "which keeps the present one beside it"
        )
    try:
        with Archive(file) as archive, _workshop(folder, dry_run) as workshop:
            archive.check_room(workshop)
            theirs = workshop / "theirs.db"
            archive.extract(CATALOGUE, theirs)
            try:
                adopt(theirs, workshop / FILE_NAME, archive.about["separator"])
            except CatalogueError as error:
                raise LibraryError(
                    f"{file}: its catalogue cannot be taken over: {error}; mend the library with "
                    "`photosearch doctor --repair` where it is from, and export it again"
                ) from error
            theirs.unlink()
            with Catalogue.open(workshop) as catalogue:
                imported = _settled(catalogue, folder, archive, maps, model)
            if dry_run:
                return imported
            _add_models(archive, workshop, folder)
            if address is not None:
                put(address, workshop / FILE_NAME)
                kept = None
            else:
                kept = put_in_place(workshop / FILE_NAME, folder / FILE_NAME, "replaced")
            FaissIndex.discard(folder)
    except OSError as error:
        raise LibraryError(
            f"{folder}: cannot be written ({error.strerror or error}); make room, or use "
            "another folder"
        ) from error
    return with_changes(imported, kept=kept)


def _check_empty(folder: Path, address: str) -> None:
    """Raises `UsageError` for an archive with photos: others may be using these."""
    with Catalogue.open(folder) as catalogue:
        counts = catalogue.counts()
    if counts.photos + counts.missing:
        raise UsageError(
            f"{address}: there are photos in this archive already; name another with --library, or "
            "have whoever keeps it empty the database"
        )


@contextmanager
def _workshop(folder: Path, dry_run: bool) -> Iterator[Path]:
    """A folder to work in, in `folder` and with its lock; afterwards all is as it was."""
    if dry_run:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
        return
    new = not folder.exists()
    make_private_folder(folder)
    try:
        with (
            WriterLock(folder).held(),
            tempfile.TemporaryDirectory(dir=folder, prefix=IMPORTING) as name,
        ):
            yield Path(name)
    except BaseException:
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _settled(
    catalogue: Catalogue,
    folder: Path,
    archive: Archive,
    maps: Sequence[str],
    model: str | os.PathLike[str] | None,
) -> Imported:
    """Change the paths of a catalogue to those of here, and hide the photos that are not."""
    separator = archive.about["separator"]
    before = catalogue.folders()
    paths = list(catalogue.portable.paths())
    changed = PathMap.parse(maps, paths, separator)
    if strange := changed.left(paths):
        raise UsageError(
            f"{strange[0]}: is a path of another system; say where its folder is here with "
            "--map OLD=NEW"
        )
    try:
        catalogue.portable.change_paths(changed)
    except CatalogueError as error:
        raise UsageError(f"--map: {error}; give folders that stay apart") from None
    shown: list[str] = []
    hidden: list[str] = []
    for path in set(map(changed, paths)):
        (shown if os.path.lexists(path) else hidden).append(path)
    catalogue.mark_missing(hidden)
    catalogue.mark_present(shown)
    counts = catalogue.counts()
    encoded = counts.embeddings
    most = max(sorted(encoded), key=lambda each: encoded[each], default=None)
    here = most is not None and (
        any(name.startswith(f"{MODELS}{most}/") for name in archive.names)
        or _is_here(most, folder, model)
    )
    return Imported(
        tuple((old, changed(old)) for old in before),
        counts.photos + counts.missing,
        counts.photos,
        most,
        here,
    )


def _is_here(bundle_id: str, folder: Path, model: str | os.PathLike[str] | None) -> bool:
    if BundleStore(folder / MODEL_FOLDER).holds(bundle_id):
        return True
    for place in {bundled_path(), Path(model) if model else default_bundle_path()}:
        with suppress(BundleError):
            if Bundle.open(place, verify=False).id == bundle_id:
                return True
    return False


def _add_models(archive: Archive, workshop: Path, folder: Path) -> None:
    """Add the bundles in the archive to those of the library; each is checked by its own hashes."""
    ids = set()
    for name in archive.names:
        if name.startswith(MODELS) and name.count("/") > 1:
            archive.extract(name, workshop / name)
            ids.add(name.split("/")[1])
    for bundle_id in sorted(ids):
        source = workshop / MODELS / bundle_id
        if Bundle.open(source).id != bundle_id:
            raise LibraryError(f"{source.name}: the model in the file is another; export it again")
        BundleStore(folder / MODEL_FOLDER).add(source)
