"""The ONNX Runtime back end."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosearch.encoders.bundle import Bundle
from photosearch.encoders.calibration import Calibration
from photosearch.encoders.preprocess import Preprocess
from photosearch.encoders.providers import CPU, candidates, named_provider, quickest
from photosearch.encoders.tokens import Tokenise, open_tokenizer
from photosearch.errors import BundleError

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from PIL.Image import Image

# Larger batches gain nothing on a CPU and cost memory.
_BATCH = 32


def import_onnxruntime() -> Any:
    """ONNX Runtime, with its telemetry off.

    Its official builds report usage to their maker unless this variable is set before the import,
    and nothing may leave the machine.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime


class OnnxEncoder:
    """Runs a bundle's two networks, each loaded when it is first needed.

    `threads` is the number of cores to use; all of them when left out. Pictures are encoded by a
    graphics card where there is a good one, see `photosearch.encoders.providers`.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self._bundle = bundle
        self._threads = threads or _cores()
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
    def _image_network(self) -> Any:
        row = (3, self._bundle.image.size, self._bundle.image.size)
        named = named_provider()
        return quickest(
            self._load("image.onnx", "image", row, threads=1),
            lambda provider: self._load("image.onnx", "image", row, threads=1, provider=provider),
            "image",
            row,
            candidates(import_onnxruntime().get_available_providers(), named),
            cores=self._threads,
            insist=named is not None,
        )

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self._threads)

    def load_ahead(self) -> None:
        """See `Encoder.load_ahead`."""
        if self._ahead is None and "_text_network" not in self.__dict__:
            self._ahead = threading.Thread(target=self._try_text_network)
            self._ahead.start()

    def _try_text_network(self) -> None:
        with suppress(BundleError):  # which is raised again where it is used
            _ = self._text_network

    @cached_property
    def _text_network(self) -> Any:
        text = self._bundle.text
        row = (None if text.padding == "longest" else text.context_length,)
        return self._load("text.onnx", "tokens", row, threads=self._threads)

    def _load(
        self,
        name: str,
        input_name: str,
        row: tuple[int | None, ...],
        *,
        threads: int,
        provider: str = CPU,
    ) -> Any:
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads that spin would take the cores from the workers that decode pictures.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if name == "text.onnx":
            # To look for more to fuse takes longer than it saves of the one text of a search.
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        if provider != CPU:
            # It is tried, and its failure is no news.
            options.log_severity_level = 4
            options.enable_mem_pattern = False  # DirectML demands it
        # Those of a graphics card come after that of the processor, which was checked.
        path = self._bundle.checked(name) if provider == CPU else self._bundle.folder / name
        try:
            network = onnxruntime.InferenceSession(
                str(path), options, providers=list(dict.fromkeys((provider, CPU)))
            )
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class.
            raise BundleError(
                f"{path}: ONNX Runtime cannot load it ({error}); fetch the bundle again"
            ) from error
        if not (
            _fits(network.get_inputs(), input_name, row)
            and _fits(network.get_outputs(), "embedding", (self.dim,))
        ):
            raise BundleError(
                f"{path}: does not take or give what bundle.json says; fetch the bundle again"
            )
        return network

    def _run(self, network: Any, name: str, inputs: NDArray[Any]) -> NDArray[np.float32]:
        (rows,) = network.run(["embedding"], {name: inputs})
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: NDArray[np.float32] = (rows / np.maximum(norms, 1e-12)).astype(np.float32)
        return unit

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
        # Each core takes a part of its own: with all of them on one batch, a tenth to a fifth of
        # the processor time goes into waiting for each other after every layer.
        # A card takes batches whole, and DirectML only one at a time.
        together = network.get_providers()[0] == CPU
        size = min(_BATCH, -(-len(pixels) // self._threads)) if together else _BATCH
        parts = [pixels[start : start + size] for start in range(0, len(pixels), size)]

        def run(part: NDArray[np.uint8]) -> NDArray[np.float32]:
            return self._run(network, "image", self.preprocess.normalise(part))

        share = self._pool.map if together and len(parts) > 1 else map
        return np.concatenate(list(share(run, parts)))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors float32 (n, dim) of n texts; a long text is cut to the context length."""
        if self._ahead is not None:
            self._ahead.join()
        parts = [
            self._run_texts(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), np.float32)

    def _run_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(texts)
        network = self._text_network
        try:
            return self._run(network, "tokens", tokens)
        except Exception as error:  # as when the network is loaded; such as a token it has not
            raise BundleError(
                f"{self._bundle.folder / 'text.onnx'}: cannot take the tokens that "
                f"{self._bundle.text.tokenizer} makes ({error}); the two do not belong together, "
                "so fetch the bundle again"
            ) from error


def _cores() -> int:
    """How many cores this process may use, which in a container can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _fits(values: Sequence[Any], name: str, row: tuple[int | None, ...]) -> bool:
    """Whether a network's one input or output is batches of `row`.

    A size that is left open fits any, and only that fits None.
    """
    if len(values) != 1 or values[0].name != name or len(values[0].shape) != 1 + len(row):
        return False
    batch, *sizes = values[0].shape
    return not isinstance(batch, int) and all(
        not isinstance(size, int) or size == expected
        for size, expected in zip(sizes, row, strict=True)
    )
