"""Which of ONNX Runtime's providers runs the image network: a graphics card's, or the processor's.

ONNX Runtime lists a provider when it was built with it, whether or not this machine has the card
and its drivers. And a card computes with other roundings, or wrongly. So one is used only after it
has given, on pictures made for that, the embeddings that the processor gives, and in less time. The
text network runs on the processor: a search encodes one text, which no card makes quicker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photosearch.errors import UsageError

# The best that is there, and works.
AUTO = "auto"
CPU = "CPUExecutionProvider"
# By the names that users give them, the quickest first.
KNOWN = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
# The least cosine between two embeddings of a picture that are taken for the same; float16 gives
# 0.9999 and more.
_SAME = 0.999
_PICTURES = 4
_SETTING = "the setting, or PHOTOSEARCH_PROVIDER,"
_log = logging.getLogger(__name__)


def candidates(available: Sequence[str], named: str) -> list[str]:
    """The providers to try before the processor's, of those that ONNX Runtime was built with.

    `named` is "cpu" for none, one of `KNOWN` for that one alone, or "auto" for all.

    Raises `UsageError` for another name, and for a provider that is not there.
    """
    if named == AUTO:
        return [provider for provider in KNOWN.values() if provider in available]
    if named == "cpu":
        return []
    if named not in KNOWN:
        raise UsageError(f"provider: is {named!r}, and may be auto, cpu, {', '.join(KNOWN)}")
    if KNOWN[named] not in available:
        raise UsageError(
            f"provider: the ONNX Runtime that is installed has no {named}; install one that has, "
            f"or leave {_SETTING} out"
        )
    return [KNOWN[named]]


def quickest(
    reference: Any,
    load: Callable[[str], Any],
    input_name: str,
    row: tuple[int, ...],
    providers: Sequence[str],
    *,
    output: str = "embedding",
    feed: Callable[[NDArray[np.float32]], NDArray[Any]] = lambda pictures: pictures,
    cores: int = 1,
    insist: bool = False,
) -> Any:
    """The first network that `load` gives for a provider and that is good, else `reference`.

    It is shown normalised pictures (n, *row), or what `feed` makes of them.

    It is good when it gives the same embeddings as `reference`, and, unless you `insist`, sooner
    than so many `cores` that each run `reference` on pictures of their own.
    With `insist` nothing else will do, and `UsageError` says what is wrong with it.
    """
    if not providers:
        return reference
    pictures = feed(_pictures(row))
    expected, limit = _timed(reference, input_name, output, pictures)
    for provider in providers:
        try:
            network = load(provider)
            if network.get_providers()[0] != provider:
                fault = "does not start on this machine"
            else:
                found, seconds = _timed(network, input_name, output, pictures)
                if not same(expected, found):
                    fault = "gives other embeddings than the processor"
                elif insist or seconds < limit / cores:
                    return network
                else:
                    continue
        except Exception as error:  # ONNX Runtime's own exceptions share no public base class.
            _log.debug("%s fails", provider, exc_info=True)
            fault = f"fails ({error})"
        _log.info("%s is not used; with -vv the log tells why", provider)
        _log.debug("%s %s", provider, fault)
        if insist:
            raise UsageError(f"provider: {provider} {fault}; leave {_SETTING} out")
    return reference


def same(expected: NDArray[np.float32], found: NDArray[np.float32]) -> bool:
    """Whether the embeddings of each picture point the same way; never for what is not a number."""
    if expected.shape != found.shape:
        return False
    norms = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
    cosines = np.einsum("nd,nd->n", expected, found) / np.maximum(norms, 1e-12)
    return bool((cosines >= _SAME).all())


def _pictures(row: tuple[int, ...]) -> NDArray[np.float32]:
    """Normalised pictures, smooth as photos are, and each of them another."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(size=(_PICTURES, row[0], 4, 4))
    repeats = -(-max(row[1:]) // 4)
    large = coarse.repeat(repeats, axis=2).repeat(repeats, axis=3)
    return np.ascontiguousarray(large[:, :, : row[1], : row[2]], np.float32)


def _timed(
    network: Any, input_name: str, output: str, pictures: NDArray[Any]
) -> tuple[NDArray[np.float32], float]:
    """The embeddings, and the seconds of a second run: the first one compiles."""
    network.run([output], {input_name: pictures})
    started = time.perf_counter()
    (rows,) = network.run([output], {input_name: pictures})
    return np.asarray(rows, np.float32), time.perf_counter() - started
