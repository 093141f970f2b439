"""Shards as one numbered collection, any photo of which can be read by itself.

shards = Shards([Path("a.tar"), Path("b.tar")])
sample = shards.read(12_345)

They are reinforced shards of ours, each with its manifest; tars of the published sets; or photo
tars with captions. Which of them is seen by the manifest, or by the first sample.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from trainer.data.forms import Contents, Form, contents_of, form_of, read_form
from trainer.data.photo_tars import PhotoTarError, split_name
from trainer.data.reinforced import ReinforcedSample, ShardManifest, manifest_path, read_manifest
from trainer.data.tar_index import TarIndex

# Indexes made at a time, where no manifest says how many samples there are: disks wait, not cores.
_THREADS = 8
# Shards of which the first sample is looked at.
_LOOKED_AT = 8


class Shards:
    """The photos of several shards, numbered from 0 in the order of the files.

    contents: what they hold. digest: sha256, in hex, of what all tars hold, by their manifests;
    where there are none, of their names, sizes and numbers of samples. firsts: the number of the
    first photo of each shard, and at the end how many there are.

    Raises `ValueError` naming a shard without a manifest beside others that have one, without
    photos, or with other teachers or of another form than the first; `PhotoTarError` naming a tar
    that cannot be read.
    """

    def __init__(self, tars: Sequence[Path], teacher_dims: Sequence[int] = ()) -> None:
        """teacher_dims: the widths of the teachers' embeddings, where no manifest has them."""
        self._tars = list(tars)
        # Those that were read from: there may be a hundred thousand.
        self._indexes: dict[int, TarIndex] = {}
        described = any(manifest_path(tar).is_file() for tar in self._tars)
        manifests = [read_manifest(tar) for tar in self._tars] if described else []
        if described:
            self._counts = [manifest.count for manifest in manifests]
            sums = "".join(manifest.sha256 for manifest in manifests)
        else:
            with ThreadPoolExecutor(_THREADS) as pool:
                self._counts = list(pool.map(lambda tar: TarIndex(tar).count(), self._tars))
            facts = zip(self._tars, self._counts, strict=True)
            sums = "".join(f"{tar.name}:{tar.stat().st_size}:{count};" for tar, count in facts)
        self.digest = hashlib.sha256(sums.encode()).hexdigest()
        for tar, count in zip(self._tars, self._counts, strict=True):
            if not count:
                raise ValueError(f"{tar}: holds no photos")
        self.firsts = np.concatenate([[0], np.cumsum(self._counts, dtype=np.int64)])
        self.contents = self._described(manifests) if described else self._seen(teacher_dims)

    def __len__(self) -> int:
        return int(self.firsts[-1])

    def read(self, number: int) -> ReinforcedSample:
        """Photo `number`.

        Raises `ValueError` or `PhotoTarError` naming the tar when it is not what it should be.
        """
        key, members, origin = self._members(number)
        return read_form(self.contents.form, key, members, origin)

    def _members(self, number: int) -> tuple[str, dict[str, bytes], str]:
        """The key of photo `number`, its files' contents by suffix, and where it is from."""
        shard = int(np.searchsorted(self.firsts, number, side="right")) - 1
        tar = self._tars[shard]
        index = self._indexes.setdefault(shard, TarIndex(tar))
        if index.count() != self._counts[shard]:
            raise ValueError(
                f"{tar}: holds {index.count()} samples instead of {self._counts[shard]}; "
                "fetch or make the shard again"
            )
        start, end = index.bounds(number - int(self.firsts[shard]))
        try:
            # Opened each time: an open file would be shared, position and all, with forked workers.
            with tar.open("rb") as file:
                file.seek(start)
                block = file.read(end - start)
            members = {}
            key = ""
            with tarfile.open(fileobj=io.BytesIO(block), mode="r:") as part:
                for member in part:
                    content = part.extractfile(member)
                    if content is not None:
                        key, suffix = split_name(member.name)
                        members[suffix] = content.read()
        except (OSError, tarfile.TarError) as error:
            raise PhotoTarError(f"{tar}: cannot be read ({error})") from None
        return key, members, f"{tar}: {key}"

    def _described(self, manifests: Sequence[ShardManifest]) -> Contents:
        teachers = manifests[0].teachers
        for tar, manifest in zip(self._tars, manifests, strict=True):
            if manifest.teachers != teachers:
                raise ValueError(f"{tar}: reinforced by other teachers than {self._tars[0]}")
        return Contents(
            "reinforced",
            tuple(teachers),
            captions=any(manifest.captions for manifest in manifests),
            synthetic=all(manifest.synthetic for manifest in manifests),
        )

    def _seen(self, teacher_dims: Sequence[int]) -> Contents:
        """What the first samples of some of the shards are."""
        spread = np.linspace(0, len(self._tars) - 1, min(_LOOKED_AT, len(self._tars))).astype(int)
        forms: dict[Form, str] = {}
        samples = []
        for shard in spread.tolist():
            key, members, origin = self._members(int(self.firsts[shard]))
            form = form_of(members)
            if form == "reinforced":
                read_manifest(self._tars[shard])  # says that it is missing, and what to do
            forms.setdefault(form, origin)
            samples.append((form, key, members, origin))
        if len(forms) > 1:
            raise ValueError(
                f"{' and '.join(forms.values())}: are of two forms, {' and '.join(forms)}; "
                "train on one of them"
            )
        return contents_of(samples[0][0], [read_form(*sample) for sample in samples], teacher_dims)
