"""The ONNX Runtime back end."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosearch.capacity import total_memory
from photosearch.encoders.bundle import Bundle, Network, Tower
from photosearch.encoders.calibration import Calibration
from photosearch.encoders.preprocess import Preprocess
from photosearch.encoders.providers import AUTO, CPU, candidates, quickest
from photosearch.encoders.tokens import Tokenise, open_tokenizer
from photosearch.errors import BundleError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from PIL.Image import Image

    from photosearch.text_process import TextProcess

# Larger batches gain nothing on a CPU and cost memory.
_BATCH = 32
# A network of texts of so many bytes reads one sooner with one thread: several wait for each other
# after every layer, and the longer the more other programs want the cores.
_SMALL = 32 << 20
# What a network takes in memory, in proportion to its file: its weights as they are read and as
# they are computed with, and what comes of each layer.
_LOADED = 8
# The part of all memory that copies of it may take together.
_SHARE = 4
# What a network may take and give, by ONNX Runtime's names.
_NUMBERS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_BYTES = {"tensor(uint8)": np.uint8}
_IDS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_log = logging.getLogger(__name__)


def import_onnxruntime() -> Any:
    """ONNX Runtime, with its telemetry off.

    Its official builds report usage to their maker unless this variable is set before the import,
    and nothing may leave the machine.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # It warns of what it does not know of the system, as where files cannot be opened.
    with warnings.catch_warnings(action="ignore"):
        import onnxruntime

    return onnxruntime


class OnnxEncoder:
    """Runs a bundle's two networks, each loaded when it is first needed.

    `threads` is the number of cores to use; all of them when left out. Pictures are encoded by
    `provider`: on its own a graphics card where there is a good one, see
    `photosearch.encoders.providers`. A `text_process` encodes the texts as long as it can.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        provider: str = AUTO,
        text_process: TextProcess | None = None,
    ) -> None:
        self._bundle = bundle
        self._text_process = text_process
        self._threads = threads or _cores()
        self._provider = provider
        self.bundle_id = bundle.id
        self.dim = bundle.dim
        self.languages = bundle.languages
        self.preprocess = Preprocess(bundle.image)
        self._ahead: threading.Thread | None = None

    @property
    def calibration(self) -> Calibration | None:
        return self._bundle.calibration

    @cached_property
    def _tokenizer(self) -> Tokenise:
        return open_tokenizer(self._bundle)

    @cached_property
    def _image_network(self) -> _Loaded:
        reference = self._load("image", threads=1)
        spec = reference.spec
        if spec.together is not None:  # a card gains from many at once alone
            return reference
        found = quickest(
            reference.session,
            lambda provider: self._load("image", threads=1, provider=provider).session,
            spec.input,
            (3, *self._bundle.image.shape),
            candidates(import_onnxruntime().get_available_providers(), self._provider),
            output=spec.output,
            feed=lambda pictures: reference.fed(spec.input, _as_taken(pictures, spec)),
            cores=self._threads,
            insist=self._provider != AUTO,
        )
        return _Loaded(found, spec)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self._threads)

    @property
    def memory(self) -> int:
        """Bytes that the image network may take, with what it computes in."""
        return _LOADED * self._bundle.size("image")

    def apart(self, processes: int) -> Path | None:
        """See `Encoder.apart`."""
        # One thread each, so that they use as many cores as this would.
        if processes != self._threads or processes * self.memory > total_memory() // _SHARE:
            return None
        on_card = self._provider != "cpu" and candidates(
            import_onnxruntime().get_available_providers(), self._provider
        )
        if on_card and self._image_network.session.get_providers()[0] != CPU:
            return None
        return self._bundle.folder

    def load_ahead(self) -> None:
        """See `Encoder.load_ahead`."""
        there = self._text_process is not None or "_text_network" in self.__dict__
        if self._ahead is None and not there:
            self._ahead = threading.Thread(target=self._try_text_network)
            self._ahead.start()

    def _try_text_network(self) -> None:
        try:
            _ = self._text_network
        except Exception:  # it is raised again where the network is used
            _log.debug("the text network is not loaded ahead", exc_info=True)

    @cached_property
    def _text_network(self) -> _Loaded:
        small = self._bundle.size("text") <= _SMALL
        return self._load("text", threads=1 if small else self._threads)

    def _load(self, tower: Tower, *, threads: int, provider: str = CPU) -> _Loaded:
        onnxruntime = import_onnxruntime()
        spec = self._bundle.network(tower)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads that spin would take the cores from the workers that decode pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if tower == "text":
            # To look for more to fuse takes longer than it saves of the one text of a search.
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        if tower == "image":
            # A fifth of its memory less, in the same time; and DirectML demands it.
            options.enable_mem_pattern = False
        if provider != CPU:
            # It is tried, and its failure is no news.
            options.log_severity_level = 4
        path = self._bundle.folder / spec.file
        if provider == CPU:
            # Those of a graphics card come after that of the processor, which was checked.
            self._bundle.checked_network(tower)
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=list(dict.fromkeys((provider, CPU)))
            )
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class.
            raise BundleError(
                f"{path}: ONNX Runtime cannot load it ({error}); fetch the bundle again"
            ) from error
        if not self._fits(session, tower, spec):
            raise BundleError(
                f"{path}: does not take or give what bundle.json says; fetch the bundle again"
            )
        return _Loaded(session, spec)

    def _fits(self, session: Any, tower: Tower, spec: Network) -> bool:
        """Whether a network takes and gives, by the names that it should, what is meant."""
        taken = {each.name: each for each in session.get_inputs()}
        given = {each.name: each for each in session.get_outputs()}
        if taken.keys() != {spec.input, spec.mask} - {None} or spec.output not in given:
            return False
        text, (height, width) = self._bundle.text, self._bundle.image.shape
        row: tuple[int | None, ...]
        types: Mapping[str, object]
        if tower == "text":
            row, types = (None if text.padding == "longest" else text.context_length,), _IDS
        elif spec.layout == "nhwc":
            row, types = (height, width, 3), _BYTES
        else:
            row, types = (3, height, width), _NUMBERS
        return all(_is_rows(each, row, spec.together, types) for each in taken.values()) and (
            _is_rows(given[spec.output], (self.dim,), spec.together, _NUMBERS)
        )

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, dim) of n pictures of any mode and size."""
        if not images:
            return np.zeros((0, self.dim), np.float32)
        return self.encode_pixels(np.stack([self.preprocess.pixels(image) for image in images]))

    def encode_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, dim) of preprocessed pictures uint8 (n, S, S, 3)."""
        if not len(pixels):
            return np.zeros((0, self.dim), np.float32)
        network = self._image_network
        spec = network.spec
        # Each core takes a part of its own: with all of them on one batch, a tenth to a fifth of
        # the processor time goes into waiting for each other after every layer.
        # A card takes batches whole, and DirectML only one at a time.
        together = network.session.get_providers()[0] == CPU
        size = min(_BATCH, -(-len(pixels) // self._threads)) if together else _BATCH
        parts = [pixels[start : start + size] for start in range(0, len(pixels), size)]

        def run(part: NDArray[np.uint8]) -> NDArray[np.float32]:
            taken = part if spec.layout == "nhwc" else self.preprocess.normalise(part)
            return network.run({spec.input: taken})

        share = self._pool.map if together and len(parts) > 1 else map
        return np.concatenate(list(share(run, parts)))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, dim) of n texts; a long text is cut to the context length."""
        if self._text_process is not None and texts:
            found = self._text_process.vectors(self._bundle.folder, self._threads, texts)
            if found is not None:
                return found
            self._text_process = None
        if self._ahead is not None:
            self._ahead.join()
        parts = [
            self._run_texts(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), np.float32)

    def _run_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(texts)
        network = self._text_network
        spec = network.spec
        inputs = {spec.input: tokens}
        if spec.mask is not None:
            lengths = self._tokenizer.lengths(texts)
            inputs[spec.mask] = (np.arange(tokens.shape[1]) < lengths[:, None]).astype(np.int64)
        try:
            return network.run(inputs)
        except Exception as error:  # as when the network is loaded; such as a token it has not
            raise BundleError(
                f"{self._bundle.folder / spec.file}: cannot take the tokens that "
                f"{self._bundle.text.tokenizer} makes ({error}); the two do not belong together, "
                "so fetch the bundle again"
            ) from error


class _Loaded:
    """A network that runs, and what it takes and gives."""

    def __init__(self, session: Any, spec: Network) -> None:
        self.session, self.spec = session, spec
        known = _NUMBERS | _BYTES | _IDS
        self._types = {each.name: known[each.type] for each in session.get_inputs()}

    def fed(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Values in the type that the input of that name takes."""
        return values.astype(self._types[name], copy=False)

    def run(self, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, d) for inputs of n rows each."""
        fed = {name: self.fed(name, values) for name, values in inputs.items()}
        size, count = self.spec.together, len(next(iter(inputs.values())))
        parts = []
        for start in range(0, count, size or count):
            part = fed
            if size is not None:  # of fewer rows the last is repeated
                places = np.minimum(np.arange(start, start + size), count - 1)
                part = {name: values[places] for name, values in fed.items()}
            parts += self.session.run([self.spec.output], part)
        rows = np.concatenate(parts)[:count].astype(np.float32, copy=False)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: NDArray[np.float32] = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
        return unit


def _as_taken(pictures: NDArray[np.float32], spec: Network) -> NDArray[Any]:
    """Normalised pictures (n, 3, H, W) as the network takes them."""
    if spec.layout == "nchw":
        return pictures
    return np.clip(128 + 50 * pictures.transpose(0, 2, 3, 1), 0, 255).astype(np.uint8)


def _cores() -> int:
    """How many cores this process may use, which in a container can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_rows(
    value: Any, row: tuple[int | None, ...], together: int | None, types: Mapping[str, object]
) -> bool:
    """Whether an input or output of a network is of one of the types, and batches of `row`.

    A size that is left open fits any, and only that fits None.
    """
    if value.type not in types or len(value.shape) != 1 + len(row):
        return False
    batch, *sizes = value.shape
    return (not isinstance(batch, int) or batch == together) and all(
        not isinstance(size, int) or size == expected
        for size, expected in zip(sizes, row, strict=True)
    )
