"""Reinforced shards as one numbered collection, any photo of which can be read by itself.

shards = Shards([Path("a.tar"), Path("b.tar")])
sample = shards.read(12_345)
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.photo_tars import PhotoTarError, split_name
from trainer.data.reinforced import ReinforcedSample, read_manifest, read_sample


class Shards:
    """The photos of several shards, numbered from 0 in the order of the files.

    Where a photo stands in its tar is found out when a shard is first read from.

    Raises `ValueError` naming a shard without a manifest, without photos, or with other teachers
    than the first.
    """

    def __init__(self, tars: Sequence[Path]) -> None:
        self._tars = list(tars)
        self.manifests = [read_manifest(tar) for tar in self._tars]
        self.teachers = self.manifests[0].teachers
        for tar, manifest in zip(self._tars, self.manifests, strict=True):
            if manifest.teachers != self.teachers:
                raise ValueError(f"{tar}: reinforced by other teachers than {self._tars[0]}")
            if not manifest.count:
                raise ValueError(f"{tar}: holds no photos")
        counts = [manifest.count for manifest in self.manifests]
        self._firsts = np.concatenate([[0], np.cumsum(counts)])
        self._bounds: dict[int, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return int(self._firsts[-1])

    @property
    def digest(self) -> str:
        """sha256 of what all tars hold, in hex."""
        sums = "".join(manifest.sha256 for manifest in self.manifests)
        return hashlib.sha256(sums.encode()).hexdigest()

    def read(self, number: int) -> ReinforcedSample:
        """Photo `number`.

        Raises `ValueError` or `PhotoTarError` naming the tar when it is not what its manifest says.
        """
        shard = int(np.searchsorted(self._firsts, number, side="right")) - 1
        if shard not in self._bounds:
            self._bounds[shard] = _sample_bounds(self._tars[shard], self.manifests[shard].count)
        tar, place = self._tars[shard], number - int(self._firsts[shard])
        start, end = self._bounds[shard][place : place + 2]
        # Opened each time: an open file would be shared, position and all, with forked workers.
        with tar.open("rb") as file:
            file.seek(start)
            block = file.read(end - start)
        members = {}
        key = ""
        with tarfile.open(fileobj=io.BytesIO(block)) as part:
            for member in part:
                key, suffix = split_name(member.name)
                content = part.extractfile(member)
                assert content is not None
                members[suffix] = content.read()
        return read_sample(key, members, f"{tar}: {key}")

    def epoch_order(self, seed: int, epoch: int, mixed: int) -> NDArray[np.int64]:
        """All photos in the order of an epoch, a function of the arguments alone.

        Shards come in random order, and the photos of `mixed` shards at a time in random order
        among themselves; all are mixed when it is 0.
        """
        return _epoch_order(tuple(self._firsts.tolist()), seed, epoch, mixed)


@lru_cache(maxsize=2)
def _epoch_order(firsts: tuple[int, ...], seed: int, epoch: int, mixed: int) -> NDArray[np.int64]:
    random = np.random.default_rng((seed, epoch))
    shards = random.permutation(len(firsts) - 1)
    mixed = mixed or len(shards)
    windows = [shards[start : start + mixed] for start in range(0, len(shards), mixed)]
    photos = [
        np.concatenate([np.arange(firsts[shard], firsts[shard + 1]) for shard in window])
        for window in windows
    ]
    return np.concatenate([random.permutation(window) for window in photos])


def _sample_bounds(tar: Path, count: int) -> NDArray[np.int64]:
    """Where each of the `count` samples begins in `tar`, and where the last ends: (count + 1,)."""
    bounds = []
    last = ""
    try:
        with tarfile.open(tar, "r:") as file:
            for member in file:
                key = split_name(member.name)[0]
                if key != last:
                    bounds.append(member.offset)
                    last = key
                file.members = []  # type: ignore[attr-defined]  # tarfile would keep them all
            bounds.append(file.offset)
    except (OSError, tarfile.TarError) as error:
        raise PhotoTarError(f"{tar}: not a readable tar ({error})") from None
    if len(bounds) != count + 1:
        raise ValueError(
            f"{tar}: holds {len(bounds) - 1} samples and its manifest says {count}; "
            "fetch or make the shard again"
        )
    return np.asarray(bounds, np.int64)
