"""How fast this machine multiplies: what the time depends on that a model takes for a photo."""

from __future__ import annotations

import time

import numpy as np

# A layer of a ViT-B/16, for four pictures: rows, numbers that go in, and numbers that come out.
_ROWS, _IN, _OUT = 788, 768, 3072
_ROUNDS = 5
# Whole networks do more than multiply matrices; this share of the speed is left to those of the
# catalogue: 0.83 and 0.85 were measured for a ViT-B/32 and a ViT-B/16, in turns with the product.
_SHARE = 0.8
# Seconds until it is measured again, and by the number of threads what was seen, and when.
_KEPT = 60.0
_seen: dict[int | None, tuple[float, float]] = {}
# Field numbers of onnx.proto, of which nothing but a product is written.
_IR, _OPSET = 8, 13


def measured_pace(threads: int | None = None) -> float:
    """Billions of multiply-adds a second that a network makes here on `threads` cores, or all.

    Measured in some tenths of a second, and again when it is asked for later: programs that are
    busy make it less, so the best that was seen counts.
    """
    now = time.monotonic()
    before, measured = _seen.get(threads, (0.0, -_KEPT))
    if now - measured >= _KEPT:
        before = max(before, _measure(threads))
        _seen[threads] = before, now
    return before


def _measure(threads: int | None) -> float:
    from photosearch.encoders.onnx import import_onnxruntime

    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(_product(), options, providers=["CPUExecutionProvider"])
    given = {
        "a": np.ones((_ROWS, _IN), np.float32),
        "b": np.ones((_IN, _OUT), np.float32),
    }
    session.run(None, given)
    best = min(_seconds(session, given) for _ in range(_ROUNDS))
    return _SHARE * _ROWS * _IN * _OUT / 1e9 / max(best, 1e-9)


def _seconds(session: object, given: dict[str, np.ndarray]) -> float:
    started = time.perf_counter()
    session.run(None, given)  # type: ignore[attr-defined]
    return time.perf_counter() - started


def _product() -> bytes:
    """An ONNX file whose network multiplies two matrices."""
    node = _field(1, b"a") + _field(1, b"b") + _field(2, b"c") + _field(4, b"MatMul")
    graph = _field(1, node) + _field(2, b"product")
    graph += b"".join(_field(11, _matrix(name)) for name in (b"a", b"b"))
    graph += _field(12, _matrix(b"c"))
    opset = _number(2, _OPSET)
    return _number(1, _IR) + _field(7, graph) + _field(8, opset)


def _matrix(name: bytes) -> bytes:
    """Of float32, and of any size."""
    sizes = b"".join(_field(1, b"") for _ in range(2))
    tensor = _number(1, 1) + _field(2, sizes)
    return _field(1, name) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    """A field that holds bytes, fewer than 128."""
    return bytes([number << 3 | 2, len(content)]) + content


def _number(number: int, value: int) -> bytes:
    return bytes([number << 3, value])
