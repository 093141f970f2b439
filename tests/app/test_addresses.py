"""Photos that are not in a folder: in an object store, and on a web server. Both are real ones."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import on_a_thread
import pytest
from optional import module
from PIL import Image
from shell import Shell

from index import Catalogue, FileStamp, NewPhoto, paths
from index.paths import below, folder_sql, is_within, separator_of
from photosearch import Library, LibraryError, UsageError
from photosearch.api.app import create_app
from photosearch.api.pictures import Pictures
from photosearch.delivery.thumbnails import Thumbnails
from photosearch.elsewhere import addresses
from photosearch.elsewhere.addresses import checked
from photosearch.elsewhere.listing import Listed, Unlisted, listed
from photosearch.encoders import open_encoder
from photosearch.indexing.decoding import Decoding
from photosearch.indexing.events import Absent, Failed, Finished
from photosearch.indexing.glancing import glance_again
from photosearch.indexing.left_out import is_left_out
from photosearch.indexing.rebuild import Rebuild
from photosearch.indexing.scan import is_looked_at, resolve_roots
from photosearch.indexing.spelling import as_recorded
from photosearch.photo import photo_named
from photosearch.portable.mapping import PathMap
from photosearch.quantising.photos import some_photos
from photosearch.serving.library_thread import LibraryThread
from photosearch.serving.shrinking import Shrinkers
from photosearch.settings import read as read_settings
from photosearch.thumbnail_files import place_of

module("s3fs")
SECRET = "a-secret-of-the-test"


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    """A server with an object store; a client of it, as who puts photos there."""
    boto3 = module("boto3")
    server = module("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHETEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        yield boto3.client("s3")
    server.stop()


@pytest.fixture
def bucket(store: Any, pictures: Path) -> Iterator[Any]:
    store.create_bucket(Bucket="archive")
    for path in sorted(pictures.iterdir()):
        store.upload_file(str(path), "archive", f"photos/2024/{path.name}")
    store.put_object(Bucket="archive", Key="photos/notes.txt", Body=b"none")
    yield store
    for each in store.list_objects_v2(Bucket="archive").get("Contents", ()):
        store.delete_object(Bucket="archive", Key=each["Key"])
    store.delete_bucket(Bucket="archive")


def run(library: Library, *folders: str) -> tuple[Finished, list[Any]]:
    events = list(library.index(folders, workers=1))
    return next(each for each in events if isinstance(each, Finished)), events


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), colour).save(out, "PNG")
    return out.getvalue()


@pytest.mark.slow
def test_an_object_store_is_indexed_followed_and_never_written_to(
    bucket: Any, pictures: Path, tmp_path: Path, tiny_bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "photosearch")
    root = "s3://archive/photos"
    before = {
        each["Key"]: each["ETag"] for each in bucket.list_objects_v2(Bucket="archive")["Contents"]
    }
    folder = tmp_path / "library"
    with Library.open(folder, model=tiny_bundle) as library:
        finished, _ = run(library, f"{root}/")
        assert (finished.indexed, finished.failed) == (6, 0)
        assert library.folders == [root]
        hits = library.search("type:png", sort="newest")
        assert {hit.path for hit in hits} == {
            f"{root}/2024/{path.name}" for path in pictures.iterdir() if path.suffix == ".png"
        }
        # In one folder, and below it: a folder with a name that begins alike is another.
        assert len(library.search(f'folder:"{root}/2024" type:png')) == len(hits)
        assert library.search('folder:"s3://archive/photo"').total == 0
        # The same vectors, and the picture that the page shows.
        coffee = library.photos.file_at(f"{root}/2024/coffee.png")
        assert coffee is not None
        assert coffee.digest is not None
        with Image.open(place_of(folder, coffee.digest)) as small:
            assert max(small.size) == 512
        similar = library.photos.similar(str(pictures / "coffee.png"), limit=1)
        assert similar[0].photo_id == coffee.id
        assert similar[0].score == pytest.approx(1, abs=1e-3)
        finished, _ = run(library)
        assert (finished.indexed, finished.unchanged) == (0, 6)

        # One is another now, one is new, one is called otherwise, one is gone.
        bucket.put_object(Bucket="archive", Key="photos/2024/coffee.png", Body=png("red"))
        bucket.put_object(Bucket="archive", Key="photos/2025/new.png", Body=png("blue"))
        bucket.put_object(Bucket="archive", Key="photos/2025/broken.png", Body=b"no picture")
        source = {"Bucket": "archive", "Key": "photos/2024/rocket.jpg"}
        bucket.copy_object(Bucket="archive", Key="photos/2025/start.jpg", CopySource=source)
        bucket.delete_object(**source)
        bucket.delete_object(Bucket="archive", Key="photos/2024/coins.png")
        rocket = library.photos.file_at(f"{root}/2024/rocket.jpg")
        assert rocket is not None
        finished, events = run(library)
        assert (finished.indexed, finished.recognised, finished.failed) == (2, 1, 1)
        assert finished.missing == 1
        (broken,) = (each for each in events if isinstance(each, Failed))
        assert "not a picture" in broken.reason
        moved = library.photos.file_at(f"{root}/2025/start.jpg")
        assert moved is not None
        assert moved.id == rocket.id

        # A store that cannot be asked takes nothing away.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("photosearch.indexing.scan.listed", _unreachable)
            finished, events = run(library)
        assert [each.path for each in events if isinstance(each, Failed)] == [root]
        assert not any(isinstance(each, Absent) for each in events)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("photosearch.elsewhere.listing.MOST", 7)
            assert [each.path for each in run(library)[1] if isinstance(each, Failed)] == [root]
        assert len(library.search("-is:video")) == 6
        # Nothing about it is wrong, but it is not for others to bring.
        assert "wrong" not in {one.state for one in library.examine(folder, model=tiny_bundle)}
        # Neither looks at photos of which there is no more than a small picture here.
        with Catalogue.open(folder, readonly=True) as catalogue:
            assert catalogue.readings.unread() == []
            assert catalogue.faces.unseen("any") == []
        library.export(tmp_path / "exported.zip")
        assert library.forget(f"{root}/2025/", dry_run=True) == 2
    with pytest.raises(LibraryError, match="path in folders: 1, path in photos: 7"):
        Library.import_from(tmp_path / "exported.zip", tmp_path / "imported")
    _shown_by_the_server(folder, tiny_bundle, coffee.id, coffee.path)
    with Library.open(folder, model=tiny_bundle) as library:
        assert library.forget(f"{root}/") == 7
        assert library.folders == []
    after = {
        each["Key"]: each["ETag"] for each in bucket.list_objects_v2(Bucket="archive")["Contents"]
    }
    assert after.keys() - before.keys() == {
        "photos/2025/new.png", "photos/2025/broken.png", "photos/2025/start.jpg",
    }  # fmt: skip
    # Nothing of who may read it is kept.
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in kept
    assert b"AKIAOFTHETEST" not in kept
    assert SECRET not in caplog.text


def _shown_by_the_server(folder: Path, bundle: Path, photo: int, path: str) -> None:
    """By the picture that the index made; the server itself fetches nothing."""

    async def asked() -> list[tuple[int, str]]:
        thread, shrinkers = LibraryThread(folder, bundle), Shrinkers(1)
        app = create_app(thread, Pictures(Thumbnails(folder, shrinkers), shrinkers))
        transport = httpx.ASGITransport(app)
        found = []
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            named = quote(path, safe="")
            known = (await client.get(f"/v1/photos/{named}")).json()
            assert known["photo_id"] == photo
            alike = (await client.get(f"/v1/photos/{named}/similar")).json()
            assert alike["hits"], alike
            for name in ("thumbnail", "preview", "original"):
                answer = await client.get(f"/v1/photos/{photo}/{name}")
                found.append((answer.status_code, answer.headers["content-type"]))
        await asyncio.to_thread(thread.close)
        shrinkers.close()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert on_a_thread.run(asked()) == [
            (200, "image/webp"), (200, "image/webp"), (404, "application/json"),
        ]  # fmt: skip


def _unreachable(address: str, *_: object) -> Iterator[Unlisted]:
    yield Unlisted(address, "cannot be fetched (EndpointConnectionError)")


@pytest.mark.slow
def test_a_web_server_with_listings(pictures: Path, tmp_path: Path, tiny_bundle: Path) -> None:
    module("aiohttp")
    handler = partial(SimpleHTTPRequestHandler, directory=str(pictures.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            root = f"http://127.0.0.1:{server.server_port}/{pictures.name}"
            found = listed(root, is_looked_at, is_left_out)
            assert sorted(item.path for item in found if isinstance(item, Listed)) == [
                f"{root}/{name}" for name in sorted(path.name for path in pictures.iterdir())
            ]
            with Library.open(tmp_path / "library", model=tiny_bundle) as library:
                assert run(library, root)[0].indexed == 6
                assert run(library)[0].unchanged == 6
                coffee = f"{root}/coffee.png"
                library.marks.rate([coffee], 4)
                (left,) = library.marks.write_sidecars([coffee])
                assert "nothing is written to addresses" in left.reason
                assert library.photos.why(coffee, "a cup").path == coffee
                with pytest.raises(UsageError, match="no server fetches it"):
                    library.photos.why(coffee, "a cup", files=False)
                with pytest.raises(UsageError, match="is not in the library"):
                    library.photos.similar(f"{root}/other.png")
        finally:
            server.shutdown()
            thread.join()


class Timed:
    """In the place of processes that decode: what these are told of each file's size."""

    def decode(self, paths: Iterable[str], **given: Any) -> Iterator[None]:
        self.sizes = {path: given["sizes"].get(path) for path in paths}
        return iter(())


def test_another_model_has_as_long_to_fetch_a_photo(tmp_path: Path, tiny_bundle: Path) -> None:
    here, elsewhere = str(tmp_path / "a.mp4"), "s3://archive/b.mp4"
    photos = [
        NewPhoto(path, FileStamp(size, 1), 4, 3, "VIDEO", bytes([size]) * 32)
        for size, path in enumerate((here, elsewhere))
    ]
    pool = Timed()
    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.record("other", photos, np.ones((2, 2), np.float32))
        decoding = Decoding(1, read_settings(tmp_path / "library"), elsewhere=pool)
        run = Rebuild(catalogue, open_encoder(tiny_bundle), decoding=decoding)
        assert len(list(run.events())) == 1
    assert pool.sizes == {here: None, elsewhere: 1}


def test_whatever_decodes_a_photo_has_as_long_to_fetch_it(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    here = [str(tmp_path / f"{number}.png") for number in range(99)]
    elsewhere = "s3://archive/b.png"
    photos = [
        NewPhoto(path, FileStamp(70 + number, 1), 4, 3, "PNG", bytes([number]) * 32)
        for number, path in enumerate([*here, elsewhere])
    ]
    encoder, pool = open_encoder(tiny_bundle), Timed()
    with Catalogue.open(tmp_path / "library") as catalogue:
        catalogue.record(encoder.bundle_id, photos, np.ones((100, encoder.dim), np.float32))
        decoding = Decoding(1, read_settings(tmp_path / "library"), elsewhere=pool)
        with pytest.raises(UsageError, match="100 at least, and 0 can be read"):
            some_photos(catalogue, encoder.preprocess, decoding)
        assert pool.sizes == dict.fromkeys(here) | {elsewhere: 169}
        several = [elsewhere, here[0]]
        sizes = {elsewhere: 169}
        list(glance_again(catalogue, encoder.preprocess, several, decoding, sizes))
        assert pool.sizes == {elsewhere: 169, here[0]: None}


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("s3://AKIA:secret@archive/photos", "has a password in it"),
        ("sftp://ada:secret@host/photos", "has a password in it"),
        ("https://host/photos?X-Amz-Signature=secret", "has [?] or #"),
        ("memory://photos", "is no place"),
        ("file:///etc", "is no place"),
        ("s3://", "names no place"),
        ("nosuch://archive/photos", "is no kind of address"),
    ],
)
def test_addresses_that_are_refused(shell: Shell, address: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        resolve_roots([address])
    assert "secret" not in str(refused.value)
    assert not shell.library.exists()


@pytest.mark.parametrize("is_address", [addresses.is_address, paths.is_address])
def test_what_is_an_address(is_address: Callable[[str], bool]) -> None:
    assert all(map(is_address, ["s3://a/b", "sftp://ada@host/x", "https://host/a"]))
    assert not any(map(is_address, ["/s3://a", "C:\\photos", "c://x", "photos", "./s3://a", ""]))
    assert checked("s3://archive/photos/") == "s3://archive/photos"
    roots = ["s3://archive/photos/2024", "s3://archive/photos", "s3://archive/photos2"]
    assert resolve_roots(roots) == ["s3://archive/photos", "s3://archive/photos2"]


def test_names_in_addresses_are_parted_by_strokes_on_every_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "s3://archive/photos"
    monkeypatch.setattr("os.sep", "\\")
    assert separator_of("C:\\photos") == "\\"
    assert is_within("C:\\photos\\a.jpg", "C:\\photos\\")
    assert is_within(f"{address}/a.jpg", address)
    assert not is_within(f"{address}2/a.jpg", address)
    _, bounds = below(address)
    assert bounds == [address, f"{address}/", f"{address}0"]
    with closing(sqlite3.connect(":memory:")) as memory:
        for path, folder in ((f"{address}/a.jpg", f"{address}/"), ("C:\\x\\a.jpg", "C:\\x\\")):
            select = f"SELECT {folder_sql()} FROM (SELECT ? AS path)"
            assert memory.execute(select, [path]).fetchone() == (folder,)


def test_an_address_is_named_as_it_is() -> None:
    assert photo_named("s3://archive/photos/a.jpg") == "s3://archive/photos/a.jpg"
    assert as_recorded("s3://archive/photos/", []) == "s3://archive/photos"
    # A folder of the same name has to be given as one.
    assert as_recorded("./s3://archive", []) == os.path.abspath("s3:/archive")
    with pytest.raises(UsageError, match="is no folder"):
        PathMap.parse(["/a=s3://archive"], ["/a/b.jpg"], "/")
