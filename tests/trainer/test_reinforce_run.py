"""Reinforcing a data set: interrupted, resumed, by several processes, from the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from forked import alive
from optional import needs_linux
from reinforce_data import (
    RECIPE,
    TEXTS,
    BundleTeacher,
    Namer,
    contents,
    fork_workers,
    open_bundle,
    pictures,
    write_photos,
)
from tars import write_tar

from trainer.cli import main
from trainer.data.photo_tars import PhotoTarError
from trainer.data.reinforced import manifest_path, read_manifest, read_reinforced
from trainer.reinforce.networks import Networks
from trainer.reinforce.run import ShardJob, reinforce
from trainer.reinforce.shard import ShardResult, reinforce_shard
from trainer.reinforce.sources import Source, TarShard, real_captions

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SHARDS, PHOTOS = 5, 6


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    folder = tmp_path_factory.mktemp("photos")
    return [
        TarShard(write_photos(folder / f"{number}.tar", PHOTOS, first=PHOTOS * number))
        for number in range(SHARDS)
    ]


@pytest.fixture(scope="module")
def networks(tiny_bundle: Path) -> Networks:
    return open_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def expected(
    sources: list[Source], tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What an uninterrupted run by one worker leaves behind."""
    out = tmp_path_factory.mktemp("whole") / "set"
    reinforce(ShardJob(out, RECIPE, partial(open_bundle, tiny_bundle)), sources)
    return contents(out)


def test_a_run_makes_shards_manifests_and_a_card(expected: dict[str, bytes]) -> None:
    names = [f"{number}{end}" for number in range(SHARDS) for end in (".tar", ".manifest.json")]
    assert set(expected) == {*names, "README.md", "dataset.json"}


def test_bytes_do_not_depend_on_the_number_of_workers(
    sources: list[Source], tiny_bundle: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """Nor on the order of the inputs, the devices, or whether views are prepared ahead."""
    job = ShardJob(
        tmp_path / "set",
        RECIPE,
        partial(open_bundle, tiny_bundle),
        devices=("cpu", "cpu:0"),
        readers=2,
    )
    reinforce(job, sources[::-1], workers=2)
    assert contents(tmp_path / "set") == expected
    asked: list[str] = []
    told = replace(job, open_networks=lambda device: asked.append(device))
    for number in range(3):
        told.load(number)
    assert asked == ["cpu", "cpu:0", "cpu"], "each worker has the next one"


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in listed.split()]


@needs_linux("looks into /proc")
def test_killed_run_ends_byte_identical(
    sources: list[Source], tiny_bundle: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """SIGKILL in the middle of a shard; the workers must not live on, nor write on."""
    out = tmp_path / "set"
    script = (
        "import sys; from functools import partial; from pathlib import Path\n"
        "from reinforce_data import RECIPE, open_bundle\n"
        "from trainer.reinforce.run import ShardJob, reinforce\n"
        "from trainer.reinforce.sources import TarShard\n"
        "if __name__ == '__main__':\n"
        "    bundle, out, *tars = map(Path, sys.argv[1:])\n"
        "    job = ShardJob(out, RECIPE, partial(open_bundle, bundle, 0.3))\n"
        "    reinforce(job, [TarShard(tar) for tar in tars])\n"
    )
    paths = [str(source.path) for source in sources if isinstance(source, TarShard)]
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tiny_bundle), str(out), *paths],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
    )
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        done, begun = list(out.glob("*.manifest.json")), list(out.glob(".*.tar.part"))
        if len(done) >= 2 and begun:
            break
        time.sleep(0.01)
    workers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert 2 <= len(list(out.glob("*.manifest.json"))) < SHARDS
    assert not (out / "dataset.json").exists()
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers
    assert not any(map(alive, workers))

    finished = {path: path.stat().st_ino for path in out.glob("*.manifest.json")}
    reinforce(ShardJob(out, RECIPE, partial(open_bundle, tiny_bundle)), sources)
    assert contents(out) == expected
    for path, inode in finished.items():
        assert path.stat().st_ino == inode, f"{path.name} was made again"


class TestFinishedShards:
    @pytest.fixture
    def out(self, sources: list[Source], networks: Networks, tmp_path: Path) -> Path:
        assert reinforce_shard(sources[0], tmp_path, RECIPE, networks).made
        return tmp_path

    def again(self, source: Source, out: Path, networks: Networks, **changes) -> ShardResult:
        recipe = replace(RECIPE, **{k: v for k, v in changes.items() if k != "redo"})
        return reinforce_shard(source, out, recipe, networks, redo=changes.get("redo", False))

    def test_are_left_alone(self, sources, networks, out) -> None:
        before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
        result = self.again(sources[0], out, networks)
        assert (result.made, result.count) == (False, PHOTOS)
        assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before

    @pytest.mark.parametrize("damage", ["tar", "no tar", "no manifest"])
    def test_are_made_again_when_not_whole(self, sources, networks, out, damage) -> None:
        tar, before = out / "0.tar", contents(out)
        if damage == "tar":
            tar.write_bytes(tar.read_bytes()[:-1] + b"x")
        else:
            (tar if damage == "no tar" else manifest_path(tar)).unlink()
        assert self.again(sources[0], out, networks).made
        assert contents(out) == before

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"views": 4}, "other --views"),
            ({"seed": 8}, "other --seed"),
            ({"synthetic": 1}, "other --synthetic"),
            ({"view_size": 48}, "other --view-size"),
            ({"augmentation": replace(RECIPE.augmentation, magnitude=3)}, "other augmentation"),
        ],
    )
    def test_of_another_recipe_are_refused(self, sources, networks, out, changes, named) -> None:
        before = contents(out)
        with pytest.raises(ValueError, match=rf"0\.tar: was made with {named}.*--redo"):
            self.again(sources[0], out, networks, **changes)
        assert contents(out) == before
        assert self.again(sources[0], out, networks, redo=True, **changes).made
        assert contents(out) != before

    def test_of_other_photos_are_refused(self, networks, out, tmp_path) -> None:
        other = TarShard(write_photos(tmp_path / "elsewhere" / "0.tar", 2, first=50))
        with pytest.raises(ValueError, match="was made with other photos or captions;"):
            self.again(other, out, networks)
        assert self.again(other, out, networks, redo=True).count == 2

    def test_of_other_networks_are_refused(self, sources, networks, out) -> None:
        changed = open_bundle_with(networks, digest="1")
        with pytest.raises(ValueError, match="was made with other teachers;"):
            self.again(sources[0], out, changed)
        with pytest.raises(ValueError, match="other captioner, other --synthetic;"):
            self.again(sources[0], out, replace(networks, captioner=None))

    def test_another_batch_size_is_no_other_recipe(self, sources, networks, out) -> None:
        assert not self.again(sources[0], out, networks, batch_size=5).made

    def test_with_a_broken_manifest_need_a_word(self, sources, networks, out) -> None:
        before = contents(out)
        manifest_path(out / "0.tar").write_text("{")
        with pytest.raises(ValueError, match=r"not JSON .*--redo"):
            self.again(sources[0], out, networks)
        assert self.again(sources[0], out, networks, redo=True).made
        assert contents(out) == before


def open_bundle_with(networks: Networks, **changes) -> Networks:
    teacher = BundleTeacher.__new__(BundleTeacher)
    vars(teacher).update(vars(networks.teachers[0]) | changes)
    return replace(networks, teachers=[teacher])


def test_batches_of_any_size_give_the_same_samples(
    sources: list[Source], networks: Networks, tmp_path: Path
) -> None:
    for size in (1, 4, 64):
        out = tmp_path / str(size)
        out.mkdir()
        reinforce_shard(sources[1], out, replace(RECIPE, batch_size=size), networks)
    one, four, all_ = (
        list(read_reinforced(tmp_path / size / "1.tar")) for size in ("1", "4", "64")
    )
    for left, right in [*zip(one, four, strict=True), *zip(one, all_, strict=True)]:
        assert left.augmentations == right.augmentations
        assert left.captions + left.synthetic == right.captions + right.synthetic
        assert left.image_embeddings == pytest.approx(right.image_embeddings, abs=0.01)
        assert left.text_embeddings == pytest.approx(right.text_embeddings, abs=0.01)


def test_unreadable_pictures_are_left_out_and_named(networks: Networks, tmp_path: Path) -> None:
    good, bad = pictures(2)
    meta = json.dumps({"label": "x"}).encode()
    members = [("a.jpg", good), ("a.json", meta), ("b.png", bad[:60]), ("b.json", meta)]
    result = reinforce_shard(
        TarShard(write_tar(tmp_path / "in" / "t.tar", members)), tmp_path, RECIPE, networks
    )
    assert (result.count, result.skipped) == (1, ["b"])
    assert read_manifest(tmp_path / "t.tar").skipped == ["b"]
    assert [sample.key for sample in read_reinforced(tmp_path / "t.tar")] == ["a"]
    none = TarShard(write_tar(tmp_path / "in" / "n.tar", members[2:]))
    with pytest.raises(ValueError, match=r"n\.tar: n has no picture that can be read"):
        reinforce_shard(none, tmp_path, RECIPE, networks)


def test_captions_come_from_where_datasets_keep_them(networks: Networks, tmp_path: Path) -> None:
    data = pictures(5)
    members = [
        ("a.jpg", data[0]), ("a.json", b'{"captions": [" one ", "", "two"], "label": ""}'),
        ("b.png", data[1]), ("b.json", b'{"caption": "three", "label": "", "url": "u"}'),
        ("c.jpg", data[2]), ("c.txt", b"four"), ("c.json", b'{"label": ""}'),
        ("d.png", data[3]), ("d.txt", b" "), ("d.json", b'{"label": ""}'),
        ("readme.txt", b"of no picture"),
    ]  # fmt: skip
    source = TarShard(write_tar(tmp_path / "in" / "t.tar", members))
    reinforce_shard(source, tmp_path, RECIPE, networks)
    samples = list(read_reinforced(tmp_path / "t.tar"))
    assert [s.captions for s in samples] == [["one", "two"], ["three"], ["four"], []]
    assert samples[1].meta == {"label": "", "url": "u"}
    wrong = write_tar(tmp_path / "w.tar", [("e.jpg", data[4]), ("e.json", b'{"captions": [1]}')])
    with pytest.raises(ValueError, match=r"e\.jpg: captions must be a list of texts"):
        real_captions(next(TarShard(wrong).samples()))


def test_a_reinforced_shard_can_be_reinforced_again(
    sources: list[Source], networks: Networks, tmp_path: Path
) -> None:
    """By other teachers, when the photos are kept nowhere else."""
    reinforce_shard(sources[2], tmp_path, RECIPE, networks)
    (tmp_path / "again").mkdir()
    reinforce_shard(TarShard(tmp_path / "2.tar"), tmp_path / "again", RECIPE, networks)
    assert (tmp_path / "again" / "2.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_keys_must_differ(networks: Networks, tmp_path: Path) -> None:
    label, data = b'{"label": ""}', pictures(3)
    members = [("a.jpg", data[0]), ("a.json", label), ("b.png", data[1]), ("b.json", label)]
    tar = write_tar(tmp_path / "in" / "t.tar", [*members, ("a.jpg", data[2]), ("a.json", label)])
    with pytest.raises(ValueError, match=r"t\.tar: a\.jpg: the key a stands twice"):
        reinforce_shard(TarShard(tar), tmp_path, RECIPE, networks)
    assert not (tmp_path / "t.tar").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows * 2, "not of unit length"),
        (lambda rows: rows * np.float32(np.nan), "not of unit length"),
        (lambda rows: rows[:-1], r"shape \(3, 32\) for 4 items"),
        (lambda rows: rows[:, :-1], r"shape \(4, 31\) for 4 items"),
    ],
)
def test_nonsense_of_a_teacher_is_refused(
    sources: list[Source], networks: Networks, tmp_path: Path, change, message: str
) -> None:
    embed = networks.teachers[0].embed_images
    wrong = open_bundle_with(networks, embed_images=lambda images: change(embed(images)))
    with pytest.raises(ValueError, match=rf"teacher tiny: .*{message}"):
        reinforce_shard(sources[0], tmp_path, RECIPE, wrong)
    assert not list(tmp_path.glob("[!.]*"))


def test_a_captioner_must_write_for_each_photo(
    sources: list[Source], networks: Networks, tmp_path: Path
) -> None:
    class Lazy(Namer):
        def caption(self, *arguments):
            return super().caption(*arguments)[1:]

    with pytest.raises(ValueError, match="captioner namer: did not write 2 captions"):
        reinforce_shard(sources[0], tmp_path, RECIPE, replace(networks, captioner=Lazy()))


class TestFailures:
    """What goes wrong in a worker is told in its own words, and stops the run."""

    def test_a_damaged_tar(self, sources, tiny_bundle, tmp_path) -> None:
        cut = tmp_path / "cut.tar"
        cut.write_bytes(sources[0].path.read_bytes()[:-15_000])
        job = ShardJob(tmp_path / "out", RECIPE, partial(open_bundle, tiny_bundle))
        with pytest.raises(PhotoTarError, match=r"cut\.tar: "):
            reinforce(job, [TarShard(cut), *sources], workers=1)
        with pytest.raises(PhotoTarError, match=r"none\.tar: cannot be read"):
            TarShard(tmp_path / "none.tar").digest()
        assert len(list((tmp_path / "out").glob("*.manifest.json"))) < SHARDS

    def test_a_worker_that_dies(self, sources, tmp_path) -> None:
        job = ShardJob(tmp_path / "out", RECIPE, partial(os._exit, 9))
        with pytest.raises(ValueError, match=r"a worker process died.*the same command goes on"):
            reinforce(job, sources)

    def test_shards_of_another_run_in_the_folder(self, sources, networks, tmp_path) -> None:
        reinforce_shard(sources[3], tmp_path, RECIPE, networks)
        job = ShardJob(tmp_path, RECIPE, partial(os._exit, 9))
        with pytest.raises(ValueError, match=r"holds 3\.tar, which this command does not make"):
            reinforce(job, sources[:2])


class TestCommand:
    @pytest.fixture
    def teacher(self, tiny_bundle: Path) -> str:
        return f"bundle:{tiny_bundle}"

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "holiday"
        folder.mkdir()
        for number, data in enumerate(pictures(5)):
            (folder / f"{number}.{'png' if number % 2 else 'jpg'}").write_bytes(data)
        rows = "\n".join(f'{n}.{"png" if n % 2 else "jpg"},"{TEXTS[n]}, {n}"' for n in range(5))
        (tmp_path / "captions.csv").write_text(f"file,caption\n{rows}\n0.jpg,again\n")
        return folder

    @pytest.fixture(autouse=True)
    def forks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fork_workers(monkeypatch)

    def run(self, *arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["reinforce", *map(str, arguments)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    def test_folder_to_data_set(self, teacher: str, folder: Path, tmp_path: Path) -> None:
        arguments = [
            folder, "--captions", tmp_path / "captions.csv", "--samples-per-shard", 3,
            "--teacher", teacher, "--teacher", teacher, "--views", 2, "--crop-scale", 0.3, 0.9,
            "--randaugment-ops", 1, "--magnitude", 12, "--whole-first", "--view-size", 48,
            "--seed", 3, "--workers", 2, "--licence", "Photos: CC0", "--source", "my camera",
            "--out", tmp_path / "out",
        ]  # fmt: skip
        code, output = self.run(*arguments)
        assert code == 0, output
        assert "5 photos in 2 shards" in output
        assert "shards 2/2" in output
        out = tmp_path / "out"
        shards = sorted(out.glob("*.tar"))
        assert [shard.name for shard in shards] == ["holiday-00000.tar", "holiday-00001.tar"]
        samples = list(read_reinforced(*shards))
        assert [sample.key for sample in samples] == list("01234")
        assert samples[0].captions == ["a cup of coffee, 0", "again"]
        assert [len(item.operations) for item in samples[0].augmentations] == [0, 1]
        manifest = read_manifest(shards[0])
        assert manifest.augmentation.crop_scale == (0.3, 0.9)
        assert (manifest.augmentation.magnitude, manifest.view_size, manifest.seed) == (12, 48, 3)
        assert samples[0].image_embeddings.shape == (2, 64)
        assert samples[0].text_embeddings.shape == (2, 64)

        about = json.loads((out / "dataset.json").read_text())
        assert (about["photos"], about["captions"], about["synthetic_captions"]) == (5, 6, 0)
        assert [shard["photos"] for shard in about["shards"]] == [3, 2]
        assert about["licences"] == ["Photos: CC0"]
        assert [teacher["name"] for teacher in about["teachers"]] == ["tiny", "tiny 2"]
        sizes = [sum(len(s.image_bytes) for s in samples), sum(
            read_manifest(shard).reinforcement_bytes for shard in shards)]  # fmt: skip
        assert list(about["bytes_per_sample"].values()) == [round(size / 5) for size in sizes]
        readme = (out / "README.md").read_text()
        for line in (
            "| photos | 5 |",
            "| real captions | 6 |",
            "- Photos: CC0",
            "- my camera",
            "- RandomResizedCrop: scale 0.3 to 0.9, bicubic.",
            "- RandAugment: 1 operations, magnitude 12.",
            "- View 0 is the whole photo, without operations.",
        ):
            assert f"\n{line}\n" in readme
        assert f"| bytes a photo: reinforcement | {round(sizes[1] / 5):,} |" in readme

        code, output = self.run(*arguments, "--workers", 1)
        assert code == 0, output
        assert "shards 2/2 (2 found)" in output

    def test_errors_are_one_line(self, teacher: str, folder: Path, tmp_path: Path) -> None:
        out = ["--out", tmp_path / "out", "--quiet"]
        for arguments, message in [
            (["--teacher", "nonsense"], "no teacher 'nonsense'"),
            (["--teacher", teacher, "--device", "cuda:99"], "--device cuda:99: PyTorch finds no"),
            (["--teacher", teacher, "--crop-scale", 0.5, 0.2], "crop scale 0.5 to 0.2"),
        ]:
            code, output = self.run(folder, *arguments, *out)
            assert (code, output.count("\n")) == (1, 1), output
            assert message in output
        captions = tmp_path / "captions.csv"
        tars = [write_tar(tmp_path / at / "same.tar", [("a.png", b"")]) for at in "ab"]
        code, output = self.run(*tars, "--teacher", teacher, *out)
        assert (code, output.strip()) == (
            1, "Error: two inputs would both make same.tar; rename one of them"
        )  # fmt: skip
        code, output = self.run(tars[0], "--captions", captions, "--teacher", teacher, *out)
        assert (code, output.count("\n")) == (1, 1)
        assert "needs exactly one input, the folder" in output
