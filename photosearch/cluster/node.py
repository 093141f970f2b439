"""What runs on one machine of a cluster: its pool of decoders, and the model, opened once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from photosearch.indexing.serving import Result, Task, Trouble
from photosearch.settings import SETTINGS

if TYPE_CHECKING:
    from photosearch.settings import Settings


@dataclass(frozen=True)
class Batch:
    """Files that one machine works through."""

    paths: tuple[str, ...]
    task: Task
    sidecars: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Equipment:
    """What a machine needs besides photosearch itself: the files of the model, by their names."""

    model: Mapping[str, bytes]
    settings: Settings
    workers: int | None

    @classmethod
    def of(cls, bundle: Path, settings: Settings, workers: int | None) -> Equipment:
        files = {
            path.relative_to(bundle).as_posix(): path.read_bytes()
            for path in bundle.rglob("*")
            if path.is_file()
        }
        # A machine that decodes needs no password of ours.
        secret = {name: None for name, each in SETTINGS.items() if each.secret}
        return cls(files, replace(settings, **secret), workers)  # type: ignore[arg-type]


class Node:
    """Decodes, and encodes by the model, whose files it has for as long as it lives."""

    def __init__(self, equipment: Equipment) -> None:
        from PIL import Image

        from photosearch.encoders import open_encoder
        from photosearch.indexing.decoding import Decoding

        with tempfile.TemporaryDirectory(prefix="photosearch-model-") as name:
            folder = Path(name)
            for each, content in equipment.model.items():
                path = folder / each
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            # Where the library is has no meaning here.
            settings = replace(equipment.settings, model=folder)
            self._encoder = open_encoder(folder, settings)
            # Loaded now: an actor that is ended is killed, and would leave the files behind.
            square = self._encoder.preprocess.pixels(Image.new("RGB", (8, 8)))
            self._encoder.encode_pixels(square[None])
        decoding = Decoding.of(settings, equipment.workers)
        self._stack = ExitStack()
        self._pool = self._stack.enter_context(
            decoding.pool(self._encoder.preprocess, decoding.workers)
        )

    def work(self, batch: Batch) -> list[Result]:
        """What became of each file; those that were decoded have vectors instead of pixels."""
        found = [
            result
            for result in self._pool.decode(
                batch.paths,
                task=batch.task,
                sidecars=dict(batch.sidecars),
                sizes=dict(batch.sizes),
            )
            if result is not None
        ]
        return self._encoded(found) if batch.task == "picture" else found

    def _encoded(self, found: Sequence[Result]) -> list[Result]:
        from photosearch.indexing.decode import Decoded
        from photosearch.indexing.encoding import light

        told = [result for result in found if isinstance(result.outcome, Trouble)]
        decoded = {
            result.path: result.outcome for result in found if isinstance(result.outcome, Decoded)
        }
        photos = light(self._encoder, list(decoded.values()))
        return [*told, *map(Result, decoded, photos)]
