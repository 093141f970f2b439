"""Files of ours with any damage: each is refused, or made anew, as it is documented."""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.vectors.vector_file import Stamp, read_vectors, write_vectors
from index.vectors.vector_lists import plain_lists
from photosearch.encoders import Bundle
from photosearch.encoders.bundle import MANIFEST
from photosearch.errors import BundleError, LibraryError
from photosearch.portable.archive import CATALOGUE, Archive, write_archive

DAMAGE = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 16), st.binary(max_size=16)), max_size=4
)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=5,
)


def damaged(content: bytes, damage: list[tuple[int, int, bytes]]) -> bytes:
    changed = bytearray(content)
    for place, length, new in damage:
        at = place % (len(changed) + 1)
        changed[at : at + length] = new
    return bytes(changed)


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("vectors") / "sound.faiss"
    rows = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float16)
    assert write_vectors(plain_lists([(np.arange(1, 21), rows)], 20), path, Stamp(3, "abc"))
    return path.read_bytes()


@given(DAMAGE, st.integers(0, 400))
@example([], 0)
def test_vectors(
    tmp_path_factory: pytest.TempPathFactory,
    vectors: bytes,
    damage: list[tuple[int, int, bytes]],
    cut: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.faiss"
    content = damaged(vectors, damage)
    content = content[: len(content) - cut]
    path.write_bytes(content)
    found = read_vectors(path, whole=True)
    assert (found is not None) == (content == vectors)
    assert found is None or found[1] == Stamp(3, "abc")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    return shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("damaged") / "bundle")


def opened(folder: Path, content: bytes) -> Bundle | None:
    (folder / MANIFEST).write_bytes(content)
    try:
        found = Bundle.open(folder)
    except BundleError as error:
        why = str(error)
    else:
        check_bundle(found)
        return found
    assert str(folder) in why
    return None


def check_bundle(found: Bundle) -> None:
    """What is read only when it is needed."""
    assert found.id
    assert found.image.size > 0
    assert found.text.context_length > 0
    assert found.dim > 0
    assert found.languages is None or found.languages
    assert found.card() is None or found.card()
    with suppress(BundleError):
        assert found.calibration is None or found.calibration


@given(st.binary(max_size=40) | DAMAGE)
@example(b"[" * 100_000)
@example(b'{"format": ' + b"9" * 5000 + b"}")
@example(b"\xff\xfe{\0}\0")
def test_the_bytes_of_a_manifest(
    bundle: Path, tiny_bundle: Path, damage: bytes | list[tuple[int, int, bytes]]
) -> None:
    sound = (tiny_bundle / MANIFEST).read_bytes()
    content = damage if isinstance(damage, bytes) else damaged(sound, damage)
    found = opened(bundle, content)
    assert found is not None or content != sound


@pytest.mark.slow
@given(st.data())
def test_the_values_of_a_manifest(bundle: Path, tiny_bundle: Path, data: st.DataObject) -> None:
    manifest = json.loads((tiny_bundle / MANIFEST).read_bytes())
    place: dict[str, Any] = manifest
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    if data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(ANY)
    opened(bundle, json.dumps(manifest).encode("utf-8", "surrogatepass"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "catalogue").write_bytes(b"SQLite format 3\0" + bytes(300))
    about = {"separator": "/", "folders": ["/photos"], "photos": 1, "models": {}}
    write_archive(folder / "sound.zip", {CATALOGUE: folder / "catalogue"}, about)
    return (folder / "sound.zip").read_bytes()


@given(DAMAGE)
@example([])
def test_exported_libraries(
    tmp_path_factory: pytest.TempPathFactory,
    archive: bytes,
    damage: list[tuple[int, int, bytes]],
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(damaged(archive, damage))
    check_archive(path)


@given(st.dictionaries(st.sampled_from(("format", "files", "separator", "photosearch")), ANY))
@example({"format": float("inf")})
@example({"files": {CATALOGUE: {"bytes": float("inf"), "sha256": ""}}})
@example({"files": {CATALOGUE: {"bytes": "9" * 5000, "sha256": ""}}})
def test_what_an_exported_library_says(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "said.zip"
    about = {"format": 1, "separator": "/", "files": {CATALOGUE: {"bytes": 1, "sha256": "a"}}}
    with zipfile.ZipFile(path, "w") as written:
        written.writestr(CATALOGUE, b"x")
        written.writestr("library.json", json.dumps(about | changes).encode("utf-8", "replace"))
    check_archive(path)


def check_archive(path: Path) -> None:
    extracted = path.with_suffix(".member")
    extracted.unlink(missing_ok=True)
    why = str(path)
    try:
        with Archive(path) as found:
            found.extract(CATALOGUE, extracted)
    except LibraryError as error:
        why = str(error)
    assert str(path) in why
