"""A bundle in 8 bits, made of another, and kept where it finds the same in less time or memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders import Bundle, BundleStore, write_manifest
from photosearch.encoders.bundle import CARD, Network, Tower
from photosearch.encoders.onnx import OnnxEncoder
from photosearch.errors import BundleError
from photosearch.quantising.agreement import Agreement, median_cosine, same_first, times_quicker
from photosearch.quantising.graphs import METHODS, Method, Writer, check_installed

NAME = "{}-8bit"
# Of the first ten photos so many must be the same. Where 0.945 were, a sentence encoder found one
# of a hundred right photos less among the first ten.
_SAME = 0.9
# It has to be that much smaller, and not slower by more than what measuring errs by.
_SMALLER, _SLOWER = 0.8, 0.95
_TIMED = 8
_TOWERS: tuple[Tower, ...] = ("text", "image")


@dataclass(frozen=True)
class Trying:
    """The network of `tower` is being made 8 bits by `method`, and compared with the original."""

    tower: Tower
    method: Method


@dataclass(frozen=True)
class Tried:
    """What came of it; `agreement` is None where the network has nothing to make 8 bits.

    share: of the bytes of the original that it takes.
    """

    tower: Tower
    method: Method
    agreement: Agreement | None
    share: float
    good: bool


@dataclass(frozen=True)
class Quantised:
    """The model `id` is in the library, and was not before if `fresh`.

    bytes and original_bytes: of both networks. same: of the first ten photos for each of some
    hundred texts, the share that are those of the original.
    """

    model: str
    id: str
    fresh: bool
    bytes: int
    original_bytes: int
    same: float


QuantiseEvent = Trying | Tried | Quantised


def quantise(
    store: BundleStore,
    source: Bundle,
    pixels: NDArray[np.uint8],
    texts: Sequence[str],
    *,
    threads: int | None = None,
) -> Generator[QuantiseEvent, None, None]:
    """Make a bundle of `source` with its weights in 8 bits, and put it into the store.

    It is compared on photos, preprocessed as the model wants (n, S, S, 3), and on `texts`. Of the
    ways to do it each network gets the one by which it takes the least processor time, of those
    by which it is a fifth smaller at least and at least nine of the first ten photos stay; or it
    stays as it is. `Quantised` comes last.

    Raises `UsageError` when the package that it takes is not installed; `BundleError` when neither
    network gains, or the disk is full.
    """
    check_installed()
    work = None
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{source.name}.", suffix=".part", dir=store.folder))
        with Writer() as writer:
            yield from _Work(store, source, work, pixels, texts, threads).events(writer)
    except OSError as error:
        # What the library that writes raises has no error of the system.
        raise BundleError(
            f"{work or store.folder}: cannot be written ({error.strerror or error}); make room on "
            "the disk"
        ) from None
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


class _Work:
    def __init__(
        self,
        store: BundleStore,
        source: Bundle,
        folder: Path,
        pixels: NDArray[np.uint8],
        texts: Sequence[str],
        threads: int | None,
    ) -> None:
        self._store, self._source, self._folder = store, source, folder
        self._pixels, self._texts, self._threads = pixels, texts, threads
        self._encoder = self._opened(source)
        self._photo_vectors = self._encoder.encode_pixels(pixels)
        self._text_vectors = self._encoder.encode_texts(texts)

    def _opened(self, bundle: Bundle) -> OnnxEncoder:
        # A graphics card has formats of its own, which it prefers to these.
        return OnnxEncoder(bundle, threads=self._threads, provider="cpu")

    def events(self, writer: Writer) -> Generator[QuantiseEvent, None, None]:
        chosen: dict[Tower, tuple[Method, float]] = {}
        for tower in _TOWERS:
            for method in METHODS:
                yield Trying(tower, method)
                graph = self._place(tower, method)
                graph.parent.mkdir(parents=True)
                file = self._source.folder / self._source.network(tower).file
                if not writer.write(file, graph, method):
                    yield Tried(tower, method, None, 1.0, good=False)
                    break
                made = self._bundle({tower: method})
                agreement = self._compare(tower, self._opened(made))
                share = made.size(tower) / self._source.size(tower)
                shutil.rmtree(made.folder)
                gains = share <= _SMALLER and agreement.quicker >= _SLOWER
                good = gains and agreement.same >= _SAME
                yield Tried(tower, method, agreement, share, good)
                if good and (tower not in chosen or agreement.quicker > chosen[tower][1]):
                    chosen[tower] = method, agreement.quicker
        if not chosen:
            raise BundleError(
                f"{self._source.id}: stays as it is: with their weights in 8 bits neither network "
                "is smaller, as quick, and finds the same"
            )
        yield self._kept({tower: method for tower, (method, _) in chosen.items()})

    def _place(self, tower: Tower, method: Method) -> Path:
        """Where a network in 8 bits is written, with the files that it keeps weights in."""
        return self._folder / f"{tower}-{method}" / "model.onnx"

    def _bundle(self, methods: dict[Tower, Method]) -> Bundle:
        """A bundle with the networks that were made by these methods, and else the original's."""
        folder = self._folder / "bundle"
        networks: dict[str, Any] = {}
        for tower in _TOWERS:
            before = self._source.network(tower)
            after = _in_8_bits(before, tower, methods.get(tower))
            networks[tower] = _said(after, tower)
            (folder / tower).mkdir(parents=True)
            if tower in methods:
                for path in self._place(tower, methods[tower]).parent.iterdir():
                    shutil.copyfile(path, folder / tower / path.name)
            else:
                self._copy(tower, folder / after.file)
        for name in self._source.manifest["files"]:
            of_networks = any(self._source.network(tower).holds(name) for tower in _TOWERS)
            # What lies in folders are the networks again, for other programs.
            if not of_networks and "/" not in name and name != CARD:
                shutil.copyfile(self._source.folder / name, folder / name)
        fields = {key: said for key, said in self._source.fields.items() if key != "export"}
        changed = {"name": NAME.format(self._source.name), "networks": networks, "metrics": []}
        return write_manifest(folder, fields | changed)

    def _copy(self, tower: Tower, target: Path) -> None:
        """The network as it is, with the files that it names, which lie beside it."""
        network = self._source.network(tower)
        for name in self._source.manifest["files"]:
            if network.holds(name):
                place = target if name == network.file else target.parent / Path(name).name
                shutil.copyfile(self._source.folder / name, place)

    def _compare(self, tower: Tower, made: OnnxEncoder) -> Agreement:
        if tower == "image":
            photos, texts = made.encode_pixels(self._pixels), self._text_vectors
            cosine = median_cosine(self._photo_vectors, photos)
            few = self._pixels[:_TIMED]
            quicker = times_quicker(
                lambda: self._encoder.encode_pixels(few), lambda: made.encode_pixels(few)
            )
        else:
            photos, texts = self._photo_vectors, made.encode_texts(self._texts)
            cosine = median_cosine(self._text_vectors, texts)
            short = list(self._texts[:_TIMED])
            quicker = times_quicker(
                # A search encodes one.
                lambda: [self._encoder.encode_texts([text]) for text in short],
                lambda: [made.encode_texts([text]) for text in short],
            )
        same = same_first(self._photo_vectors, self._text_vectors, photos, texts)
        return Agreement(same, cosine, quicker)

    def _kept(self, methods: dict[Tower, Method]) -> Quantised:
        made = self._bundle(methods)
        encoder = self._opened(made)
        photos, texts = encoder.encode_pixels(self._pixels), encoder.encode_texts(self._texts)
        same = same_first(self._photo_vectors, self._text_vectors, photos, texts)
        said = {"of": self._source.id, "methods": methods, "same_first_ten": round(same, 4)}
        (made.folder / CARD).write_text(self._card(methods, same), encoding="utf-8")
        provenance = made.manifest["provenance"] | {"quantised": said}
        made = write_manifest(made.folder, made.fields | {"provenance": provenance})
        fresh = not self._store.holds(made.id)
        bundle = self._store.take(made.folder)
        now, before = (sum(one.size(tower) for tower in _TOWERS) for one in (bundle, self._source))
        return Quantised(bundle.name, bundle.id, fresh, now, before, same)

    def _card(self, methods: dict[Tower, Method], same: float) -> str:
        towers = " and ".join({"text": "texts", "image": "pictures"}[each] for each in methods)
        lines = [
            f"# {NAME.format(self._source.name)}",
            "",
            f"{self._source.id} with the weights of its network of {towers} in 8 bits. Of the "
            f"first ten photos for {len(self._texts)} texts among {len(self._pixels)} photos of "
            f"the library that it was made in, {same:.1%} are those of the original.",
        ]
        theirs = self._source.card()
        if theirs is not None:
            lines += ["", "---", "", "The card of the original:", "", theirs.rstrip()]
        return "\n".join([*lines, ""])


def _in_8_bits(network: Network, tower: Tower, method: Method | None) -> Network:
    """What such a network takes and gives, in the place where bundles have it."""
    found = asdict(network)
    if method is not None or "/" not in network.file:
        found["file"] = f"{tower}/model.onnx"
    if method == "dynamic":
        # Its scale is that of all that is encoded at once, so a photo's vector would depend on
        # which others are encoded with it.
        found["together"] = 1
    return Network(**found)


def _said(network: Network, tower: Tower) -> dict[str, Any]:
    """As bundle.json has it."""
    of_other = "mask" if tower == "image" else "layout"
    said = asdict(network).items()
    return {key: value for key, value in said if value is not None and key != of_other}
