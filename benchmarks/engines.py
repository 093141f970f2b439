"""Engines for an archive on several machines, compared with the folder: run by hand.

    PYTHONPATH=. python benchmarks/engines.py WORK ENGINE [--photos N]

ENGINE is folder, archive, lancedb, milvus or pgvector, each in a process of its own. WORK has to
hold rows.npy, float16 (n, d), and queries.npy, float32 (q, d), both of length 1: every second query
is asked, and the others train an index. What is measured, by processor time besides, since others
may use the machine:

load    recording all vectors with a year and an album, and making the index
search  the ten best of each text: alone, of one year (5 %), of one album (0.5 %)
share   four readers while one writes batches of 100: searches, and rows written, in so many seconds
crash   five writers killed by SIGKILL while they write: rows that were reported and are gone
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psutil
from numpy.typing import NDArray

TEN, YEARS, ALBUMS, BATCH, SECONDS, KILLS = 10, 20, 200, 20_000, 20.0, 5
Where = tuple[str, int] | None


class Engine(Protocol):
    """`rows` are float32 (n, d), of length 1; ids count from 0; year is id % 20, album % 200."""

    def load(self, batches: Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> None: ...
    def finish(self) -> None: ...
    def add(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None: ...
    def search(self, query: NDArray[np.float32], where: Where) -> list[int]: ...
    def count(self) -> int: ...


class Folder:
    def __init__(self, place: Path, dim: int) -> None:
        from index import Catalogue

        self._catalogue = Catalogue.open(place)
        self._state, self._index = -1, None

    def _record(self, ids: Any, rows: Any) -> None:
        from index import FileStamp, Metadata, NewPhoto

        photos = [
            NewPhoto(
                f"/photos/{one % ALBUMS:03}/{one:07}.jpg", FileStamp(one, one), 4000, 3000, "JPEG",
                int(one).to_bytes(32, "big"), Metadata(taken_at=str(2000 + one % YEARS)),
            )
            for one in ids.tolist()
        ]  # fmt: skip
        self._catalogue.record("engines", photos, rows)

    def load(self, batches: Any) -> None:
        for ids, rows in batches:
            self._record(ids, rows)

    def finish(self) -> None:
        from index import FaissIndex

        queries = np.load(os.environ["ENGINES_QUERIES"])[1::2]
        FaissIndex.refresh(self._catalogue, "engines", lambda: queries)

    def add(self, ids: Any, rows: Any) -> None:
        self._record(ids, rows)

    def search(self, query: Any, where: Where) -> list[int]:
        from index import FaissIndex

        if self._catalogue.generation != self._state:
            self._state = self._catalogue.generation
            self._index = FaissIndex.open(self._catalogue, "engines")
        among = None if where is None else self._among(where)
        _, ids = self._index.search(query[None], TEN, among=among)  # type: ignore[attr-defined]
        return (ids[0] - 1).tolist()

    def _among(self, where: tuple[str, int]) -> Any:
        # As a condition gives it, which is kept while the catalogue stays the same.
        known = self.__dict__.setdefault("_kept", {})
        if where not in known:
            total = self._catalogue.embedding_count("engines")
            every = np.arange(total)
            modulus = YEARS if where[0] == "year" else ALBUMS
            known[where] = every[every % modulus == where[1]] + 1
        return known[where]

    def count(self) -> int:
        return self._catalogue.embedding_count("engines")


class Archive(Folder):
    """What photosearch does with the database at ENGINES_ADDRESS: each process as on a machine of
    its own.
    """

    def __init__(self, place: Path, dim: int) -> None:
        from index import Catalogue
        from index.shared.address import folder_of

        copy = folder_of(os.environ["ENGINES_ADDRESS"], place / str(os.getpid()))
        began = time.monotonic()
        self._catalogue = Catalogue.open(copy)
        print(f"a copy in {time.monotonic() - began:.1f} s", flush=True)
        self._state, self._index = -1, None


class Lance:
    def __init__(self, place: Path, dim: int) -> None:
        import lancedb
        import pyarrow as pa

        self._db = lancedb.connect(place)
        vector = pa.list_(pa.float32(), dim)
        self._schema = pa.schema(
            [("id", pa.int64()), ("year", pa.int32()), ("album", pa.int32()), ("vector", vector)]
        )
        names = self._db.table_names()
        self._table = self._db.open_table("photos") if names else None

    def _arrow(self, ids: Any, rows: Any) -> Any:
        import pyarrow as pa

        flat = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
        parts = [ids, (ids % YEARS).astype(np.int32), (ids % ALBUMS).astype(np.int32)]
        return pa.RecordBatch.from_arrays([*map(pa.array, parts), flat], schema=self._schema)

    def load(self, batches: Any) -> None:
        self._table = self._db.create_table("photos", schema=self._schema)
        for ids, rows in batches:
            self.add(ids, rows)

    def finish(self) -> None:
        self._table.create_index(
            metric="dot", vector_column_name="vector", index_type="IVF_PQ",
            num_partitions=int(self._table.count_rows() ** 0.5), num_sub_vectors=48,
        )  # fmt: skip
        for column in ("year", "album"):
            self._table.create_scalar_index(column, index_type="BITMAP")
        self._table.optimize()

    def add(self, ids: Any, rows: Any) -> None:
        self._table.add(self._arrow(ids, rows))

    def search(self, query: Any, where: Where) -> list[int]:
        if not hasattr(self, "_seen") or time.monotonic() - self._seen > 1:
            self._table.checkout_latest()
            self._seen = time.monotonic()
        asked = self._table.search(query).distance_type("dot").nprobes(20).refine_factor(10)
        if where is not None:
            asked = asked.where(f"{where[0]} = {where[1]}", prefilter=True)
        return asked.select(["id"]).limit(TEN).to_arrow()["id"].to_pylist()

    def count(self) -> int:
        return self._table.count_rows()


class Milvus:
    def __init__(self, place: Path, dim: int) -> None:
        from pymilvus import MilvusClient

        place.mkdir(exist_ok=True)
        self._dim = dim
        self._client = MilvusClient(str(place / "milvus.db"))

    def load(self, batches: Any) -> None:
        from pymilvus import DataType

        schema = self._client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("year", DataType.INT32)
        schema.add_field("album", DataType.INT32)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dim)
        self._client.create_collection("photos", schema=schema)
        for ids, rows in batches:
            for start in range(0, len(ids), 2000):
                self.add(ids[start : start + 2000], rows[start : start + 2000])

    def finish(self) -> None:
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type=os.environ.get("MILVUS_INDEX", "IVF_FLAT"),
                        metric_type="IP", params={"nlist": 512})  # fmt: skip
        self._client.create_index("photos", index)
        self._client.load_collection("photos")

    def add(self, ids: Any, rows: Any) -> None:
        self._client.insert(
            "photos",
            [
                {"id": one, "year": one % YEARS, "album": one % ALBUMS, "vector": row}
                for one, row in zip(ids.tolist(), rows, strict=True)
            ],
        )

    def search(self, query: Any, where: Where) -> list[int]:
        asked = "" if where is None else f"{where[0]} == {where[1]}"
        (found,) = self._client.search(
            "photos", [query], filter=asked, limit=TEN, search_params={"params": {"nprobe": 20}}
        )
        return [hit["id"] for hit in found]

    def count(self) -> int:
        return self._client.query("photos", output_fields=["count(*)"])[0]["count(*)"]


class Pgvector:
    def __init__(self, place: Path, dim: int) -> None:
        import pgserver
        import psycopg
        from pgvector.psycopg import register_vector

        self._server = pgserver.get_server(place, cleanup_mode=None)
        self._dim = dim
        self._db = psycopg.connect(self._server.get_uri(), autocommit=True)
        self._db.execute("CREATE EXTENSION IF NOT EXISTS vector")
        register_vector(self._db)
        self._db.execute("SET ivfflat.probes = 20")

    def load(self, batches: Any) -> None:
        self._db.execute(
            "CREATE TABLE photos (id bigint PRIMARY KEY, year int, album int, "
            f"vector vector({self._dim}))"
        )
        for ids, rows in batches:
            self.add(ids, rows)

    def finish(self) -> None:
        self._db.execute("SET maintenance_work_mem = '1GB'")
        self._db.execute(
            "CREATE INDEX ON photos USING ivfflat (vector vector_ip_ops) WITH (lists = 1000)"
        )
        self._db.execute("CREATE INDEX ON photos (year)")
        self._db.execute("CREATE INDEX ON photos (album)")
        self._db.execute("ANALYZE photos")

    def add(self, ids: Any, rows: Any) -> None:
        with (
            self._db.cursor() as cursor,
            cursor.copy("COPY photos FROM STDIN WITH (FORMAT BINARY)") as copy,
        ):
            copy.set_types(["int8", "int4", "int4", "vector"])
            for one, row in zip(ids.tolist(), rows, strict=True):
                copy.write_row((one, one % YEARS, one % ALBUMS, row))

    def search(self, query: Any, where: Where) -> list[int]:
        asked = "" if where is None else f"WHERE {where[0]} = {where[1]}"
        rows = self._db.execute(
            f"SELECT id FROM photos {asked} ORDER BY vector <#> %s LIMIT {TEN}", [query]
        )
        return [row[0] for row in rows]

    def count(self) -> int:
        row = self._db.execute("SELECT count(*) FROM photos").fetchone()
        return row[0] if row else 0


ENGINES: dict[str, Any] = {
    "folder": Folder,
    "archive": Archive,
    "lancedb": Lance,
    "milvus": Milvus,
    "pgvector": Pgvector,
}


def worked() -> float:
    """Processor seconds of this process and of servers that it started."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime + ended.ru_utime + ended.ru_stime + sum(
        sum(each.cpu_times()[:2]) for each in _servers()
    )  # fmt: skip


def _servers() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    mine = psutil.Process().uids().real
    # A server of PostgreSQL leaves the process that started it.
    found += [
        each
        for each in psutil.process_iter(["name"])
        if each.info["name"] == "postgres" and each.uids().real in (mine, *_postgres_user())
    ]
    return list({each.pid: each for each in found if each.is_running()}.values())


def _postgres_user() -> tuple[int, ...]:
    import pwd

    return tuple(each.pw_uid for each in pwd.getpwall() if each.pw_name in ("pgserver", "postgres"))


def _memory() -> int:
    processes = [psutil.Process(), *_servers()]
    return sum(each.memory_info().rss - each.memory_info().shared for each in processes)


def exact(work: Path, photos: int) -> dict[str, NDArray[np.int64]]:
    """The true ten best, by each kind of question."""
    rows = np.load(work / "rows.npy", mmap_mode="r")[:photos]
    queries = np.load(work / "queries.npy")[::2]
    best: dict[str, NDArray[np.int64]] = {}
    scores = np.empty((len(queries), photos), np.float32)
    for start in range(0, photos, BATCH):
        scores[:, start : start + BATCH] = (
            queries @ rows[start : start + BATCH].astype(np.float32).T
        )
    for kind, step, rest in (("all", 1, 0), ("year", YEARS, 7), ("album", ALBUMS, 7)):
        best[kind] = np.argsort(-scores[:, rest::step], axis=1)[:, :TEN] * step + rest
    return best


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--photos", type=int, default=1_000_000)
    given = parser.parse_args()
    work, photos = given.work, given.photos
    os.environ["ENGINES_QUERIES"] = str(work / "queries.npy")
    rows = np.load(work / "rows.npy", mmap_mode="r")
    dim = rows.shape[1]
    place = work / given.engine
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    told: dict[str, Any] = {"engine": given.engine, "photos": photos, "load": os.getloadavg()[0]}

    def batches() -> Iterator[Any]:
        for start in range(0, photos, BATCH):
            ids = np.arange(start, min(start + BATCH, photos))
            yield ids, np.ascontiguousarray(rows[ids], np.float32)

    engine: Engine = ENGINES[given.engine](place, dim)
    for name, do in (("load", lambda: engine.load(batches())), ("index", engine.finish)):
        began, before = time.monotonic(), worked()
        do()
        told[name] = {"s": time.monotonic() - began, "cpu_s": worked() - before}
        print(name, told[name], flush=True)
    told["disk_mb"] = sum(file.stat().st_size for file in place.rglob("*") if file.is_file()) / 1e6
    truth = exact(work, photos)
    queries = np.load(work / "queries.npy")[::2]
    for kind, where in (("all", None), ("year", ("year", 7)), ("album", ("album", 7))):
        engine.search(queries[0], where)
        before, taken, right = worked(), [], 0
        for number, query in enumerate(queries):
            began = time.monotonic()
            found = engine.search(query, where)
            taken.append(1000 * (time.monotonic() - began))
            right += len(set(found) & set(truth[kind][number].tolist()))
        told[kind] = {
            "p50_ms": float(np.median(taken)),
            "p95_ms": float(np.quantile(taken, 0.95)),
            "cpu_ms": 1000 * (worked() - before) / len(queries),
            "recall": right / (TEN * len(queries)),
        }
        print(kind, told[kind], flush=True)
    told["memory_mb"] = _memory() / 1e6
    told["share"] = share(given.engine, place, dim, work, photos)
    print("share", told["share"], flush=True)
    told["crash"] = crash(given.engine, place, dim, work, photos + 1_000_000)
    print(json.dumps(told), flush=True)


def _reads(engine: str, place: Path, dim: int, work: Path, out: Any) -> None:
    opened: Engine = ENGINES[engine](place, dim)
    queries = np.load(work / "queries.npy")[::2]
    opened.search(queries[0], None)
    end, done, failed = time.monotonic() + SECONDS, 0, 0
    while time.monotonic() < end:
        try:
            opened.search(queries[done % len(queries)], None)
            done += 1
        except Exception as error:
            failed += 1
            if failed == 1:
                print("reader:", repr(error)[:200], flush=True)
    out.put((done, failed))


def _writes(engine: str, place: Path, dim: int, work: Path, first: int, pipe: Any) -> None:
    opened: Engine = ENGINES[engine](place, dim)
    rows = np.ascontiguousarray(np.load(work / "rows.npy", mmap_mode="r")[:100], np.float32)
    while True:
        opened.add(np.arange(first, first + 100), rows)
        first += 100
        pipe.send(first)


def share(engine: str, place: Path, dim: int, work: Path, photos: int) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    out: Any = context.Queue()
    readers = [
        context.Process(target=_reads, args=(engine, place, dim, work, out)) for _ in range(4)
    ]
    ours, theirs = context.Pipe()
    writer = context.Process(target=_writes, args=(engine, place, dim, work, photos, theirs))
    for each in (*readers, writer):
        each.start()
    written, found = photos, []
    while any(each.is_alive() for each in readers):
        if ours.poll(0.2):
            try:
                written = ours.recv()
            except EOFError:
                break
    for each in readers:
        each.join()
    while not out.empty():
        found.append(out.get())
    writer.kill()
    writer.join()
    return {
        "readers": len(found),
        "searches": sum(done for done, _ in found),
        "failed": sum(failed for _, failed in found),
        "written": written - photos,
    }


def crash(engine: str, place: Path, dim: int, work: Path, first: int) -> dict[str, Any]:
    """Kill a writer several times while it writes, and count the rows it reported that are lost."""
    context = multiprocessing.get_context("spawn")
    lost = 0
    for number in range(KILLS):
        before = _counted(engine, place, dim)
        ours, theirs = context.Pipe()
        begin = first + number * 100_000
        writer = context.Process(target=_writes, args=(engine, place, dim, work, begin, theirs))
        writer.start()
        theirs.close()
        reported = begin
        for _ in range(3 + number):
            reported = ours.recv()
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        while ours.poll(0):
            try:
                reported = ours.recv()
            except EOFError:
                break
        after = _counted(engine, place, dim)
        lost += max(0, before + reported - begin - after)
    return {"kills": KILLS, "lost": lost}


def _count(engine: str, place: Path, dim: int, out: Any) -> None:
    out.put(ENGINES[engine](place, dim).count())


def _counted(engine: str, place: Path, dim: int) -> int:
    context = multiprocessing.get_context("spawn")
    out: Any = context.Queue()
    process = context.Process(target=_count, args=(engine, place, dim, out))
    process.start()
    number: int = out.get(timeout=300)
    process.join()
    return number


if __name__ == "__main__":
    main()
