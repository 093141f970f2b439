"""Published shards, trained on as they come: over HTTP with its faults, from commands, mixed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from reinforce_data import pictures
from tars import write_tar
from train_data import read_table, write_recipe

from trainer.cli import main
from trainer.data import remote
from trainer.data.remote import expanded, remote_samples
from trainer.reinforce.augment import OPERATIONS, AugmentSettings, draw
from trainer.train.streams import Streams

DIMS = (16, 24)
VIEWS, SYNTHETIC = 3, 2


def published(folder: Path, number: int, layout: str, *, count: int = 8) -> Path:
    """A shard as DataCompDR-12M has them: embeddings as npz, or as bfloat16 in pth.gz."""
    members = []
    for place, photo in enumerate(pictures(count, first=count * number)):
        key = f"{number:04}{place:04}"
        views = [draw(key, view, (40, 40), AugmentSettings()) for view in range(VIEWS)]
        stored = [
            [
                [view.top, view.left, view.height, view.width],
                [
                    [OPERATIONS.index(name), by * 224 if "Translate" in name else by]
                    for name, by in view.operations
                ],
            ]
            for view in views
        ]
        random = torch.Generator().manual_seed(count * number + place)
        rows = {
            "image_emb": torch.randn(VIEWS, sum(DIMS), generator=random),
            "text_emb": torch.randn(1 + SYNTHETIC, sum(DIMS), generator=random),
        }
        data = io.BytesIO()
        if layout == "npz":
            np.savez(data, **{name: value.numpy() for name, value in rows.items()})
        else:
            torch.save({name: value.bfloat16() for name, value in rows.items()}, data)
        packed = data.getvalue() if layout == "npz" else gzip.compress(data.getvalue(), 1)
        members += [
            (f"{key}.url.txt", b"https://example.org/a.jpg"),
            (f"{key}.txt", f"photo {number} {place}".encode()),
            (f"{key}.jpg", photo),
            (f"{key}.syn.json", json.dumps({"syn_text": ["a photo", "something"]}).encode()),
            (f"{key}.paug.json", json.dumps({"param_aug": json.dumps(stored)}).encode()),
            (f"{key}.{layout}", packed),
            (f"{key}.json", json.dumps({"uid": key}).encode()),
        ]
    return write_tar(folder / f"{number:08}.tar", members)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards in the two layouts; a picture of the second one is no picture."""
    folder = tmp_path_factory.mktemp("published")
    published(folder, 0, "npz")
    second = published(folder, 1, "pth.gz")
    whole = second.read_bytes()
    start = whole.index(b"\xff\xd8")
    second.write_bytes(whole[:start] + b"no" + whole[start + 2 :])
    return folder


class Faulty(BaseHTTPRequestHandler):
    """Serves a folder; what it is asked for first meets the faults that are left, one each."""

    protocol_version = "HTTP/1.1"
    folder: Path
    faults: list[str]
    answers: list[str]

    def do_GET(self) -> None:
        path = self.folder / self.path[1:]
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "503" or not path.is_file():
            self.answer(503 if fault else 404, b"", 0)
            return
        whole = path.read_bytes()
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if fault == "no ranges":
            begin = 0
        body = whole[begin:]
        self.answer(206 if begin else 200, body[: len(body) // 3] if fault else body, len(body))
        self.close_connection = True

    def answer(self, code: int, body: bytes, length: int) -> None:
        self.answers.append(f"{code}{'' if len(body) == length else ' cut'}")
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server(shards: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Faulty]]]:
    monkeypatch.setattr(remote, "_PAUSE", 0)
    handler = type("Handler", (Faulty,), {"folder": shards, "faults": [], "answers": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}", handler
        serving.shutdown()
        thread.join()


def train(recipe: Path, out: Path, *sets: str) -> Result:
    arguments = ["train", str(recipe), "--out", str(out)]
    return CliRunner().invoke(main, arguments + [one for each in sets for one in ("--set", each)])


@pytest.mark.slow
def test_published_shards_train_over_http_whatever_goes_wrong(
    shards: Path, server: tuple[str, type[Faulty]], tmp_path: Path
) -> None:
    url, handler = server
    recipe = write_recipe(
        tmp_path,
        shards,
        data={
            "train": [f"{url}/{{00000000..00000001}}.tar"], "teacher_dims": list(DIMS),
            "shuffle_buffer": 6,
        },
        loss={"lambda": 1.0},
        optimizer={"learning_rate": 1e-2},
        run={"steps": 24, "log_steps": 8},
    )  # fmt: skip
    handler.faults[:] = ["", "503", "cut", "no ranges", "cut"]
    result = train(recipe, tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "2 shards, streamed" in result.output
    # The first is the look before the run.
    assert handler.answers[1:6] == ["503", "200 cut", "200 cut", "206 cut", "206"]
    rows = read_table(tmp_path / "run" / "training.csv")
    assert rows[-1]["loss"] < rows[0]["loss"]
    with (tmp_path / "run" / "skipped.csv").open(newline="") as file:
        reasons = {row["reason"] for row in csv.DictReader(file)}
    assert reasons
    assert all(reason.startswith(f"{url}/00000001.tar: 00010000") for reason in reasons)
    assert all("not a readable picture" in reason for reason in reasons)
    assert "photos could not be read and were left out" in result.output
    # From elsewhere, and for longer.
    more = train(recipe, tmp_path / "run", f'data.train=["pipe:cat {shards}/0000000{{0,1}}.tar"]',
                 "run.steps=26")  # fmt: skip
    assert more.exit_code == 0, more.output
    assert "going on from step 24" in more.output
    # As files, any photo of which can be read by itself.
    local = train(recipe, tmp_path / "local", f'data.train=["{shards}/*.tar"]', "run.steps=2")
    assert local.exit_code == 0, local.output
    assert "16 photos" in local.output
    wrong = train(recipe, tmp_path / "local", f'data.train=["{shards}/*.tar"]',
                  "data.teacher_dims=[16, 16]")  # fmt: skip
    assert "embeddings of 40 numbers, and data.teacher_dims = [16, 16]" in wrong.output


@pytest.mark.slow
def test_a_server_that_is_gone_ends_the_run(
    server: tuple[str, type[Faulty]], shards: Path, tmp_path: Path
) -> None:
    url, handler = server
    recipe = write_recipe(
        tmp_path,
        shards,
        data={"train": [f"{url}/{{00000000..00000002}}.tar"], "teacher_dims": list(DIMS)},
    )
    # The third is not there; the others go away after the look.
    handler.folder = shards
    look = Streams._look

    def then_gone(self: Streams, *arguments: object) -> object:
        found = look(self, *arguments)
        handler.folder = tmp_path / "nothing"
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Streams, "_look", then_gone)
        result = train(recipe, tmp_path / "run")
    assert result.exit_code == 1
    assert "8 photos in a row could not be read; the last one: http" in result.output
    assert "404" in result.output
    missing = train(recipe, tmp_path / "run", f'data.train=["{url}/none.tar"]')
    assert missing.exit_code == 1
    assert f"{url}/none.tar: HTTP Error 404" in missing.output


def test_commands_and_buckets_are_read(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_PAUSE", 0)
    tar = shards / "00000000.tar"
    keys = [key for key, _ in remote_samples(str(tar))]
    assert len(keys) == 8
    assert [key for key, _ in remote_samples(f"pipe:cat {tar}")] == keys
    aws = tmp_path / "aws"
    aws.write_text(f'#!/bin/sh\n[ "$1 $2 $4" = "s3 cp -" ] && cat "{shards}/${{3##*/}}"\n')
    aws.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    url, _ = expanded("s3://bucket/0000000{0,1}.tar")
    assert [key for key, _ in remote_samples(url)] == keys
    # It ends badly at its end, or in the middle of a sample.
    for command in (f"pipe:cat {tar}; exit 3", f"pipe:head -c 9000 {tar}; exit 3"):
        with pytest.raises(OSError, match=r"exit 3.*after 6 tries"):
            list(remote_samples(command))
    with pytest.raises(OSError, match=r"pipe:head -c 9000.*unexpected end of data"):
        list(remote_samples(f"pipe:head -c 9000 {tar}"))
    with pytest.raises(ValueError, match=r"nowhere cannot be read; there are .*pipe:COMMAND"):
        list(remote_samples("nowhere://a.tar"))


def test_sources_are_mixed_by_weight(shards: Path) -> None:
    groups = [[str(shards / "00000000.tar")], [str(shards / "00000001.tar")]]

    def seen(step: int) -> list[str]:
        streams = Streams(groups, (3.0, 1.0), seed=0, buffer=20, teacher_dims=DIMS)
        streams.choose(step, np.arange(4), 0)
        return [streams.read(0).key for _ in range(400)]

    first = seen(0)
    shares = Counter(key[:4] for key in first)
    assert shares["0000"] / 400 == pytest.approx(0.75, abs=0.08)
    # A buffer mixes what stands together in a shard.
    assert first[:40] != sorted(first[:40])
    assert seen(0) == first
    assert seen(1) != first
