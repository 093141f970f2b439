"""A frozen image classifier in TFLite form, read as features and class probabilities."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from trainer.tflite import open_network


class TfliteClassifier:
    """An ImageNet classifier: uint8 RGB in; pooled features and class probabilities out.

    The network must take (1, S, S, 3) uint8 RGB, hold one 1 x 1 x 1 x F pooled tensor before its
    logits, and end in 1 x (C + 1) logits or probabilities whose entry 0 is the background class.

    Raises `ValueError` when the file is not such a network.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        with warnings.catch_warnings():
            # Inner tensors are what we are here for; the warning is about the memory they take.
            warnings.simplefilter("ignore")
            self._network = open_network(
                path, num_threads=threads, experimental_preserve_all_tensors=True
            )
        self._input, *others = self._network.get_input_details()
        shape = tuple(int(side) for side in self._input["shape"])
        self.size = shape[1] if len(shape) == 4 else 0
        wanted = (1, self.size, self.size, 3)
        if others or self._input["dtype"] is not np.uint8 or shape != wanted:
            raise ValueError(f"{path}: expected one uint8 (1, S, S, 3) input")
        self._pooled, self._logits = self._find_outputs(path)
        self.feature_dim = int(self._pooled["shape"][-1])
        self.classes = int(self._logits["shape"][-1]) - 1

    def _find_outputs(self, path: Path) -> tuple[dict, dict]:
        final = self._network.get_output_details()[0]["shape"][-1]
        pooled = logits = None
        for tensor in self._network.get_tensor_details():
            shape = tuple(int(side) for side in tensor["shape"])
            if tensor["dtype"] not in (np.uint8, np.int8):
                continue
            if len(shape) == 4 and shape[:3] == (1, 1, 1) and shape[3] != final:
                pooled = tensor
            if shape in ((1, int(final)), (1, 1, 1, int(final))):
                # The softmax saturates in 8 bits, so prefer the widest-ranged tensor: the logits.
                scale = tensor["quantization"][0]
                if logits is None or scale > logits["quantization"][0]:
                    logits = tensor
        if pooled is None or logits is None:
            raise ValueError(f"{path}: no pooled feature tensor and logits found in this network")
        return pooled, logits

    def _read(self, tensor: dict) -> np.ndarray:
        scale, zero = tensor["quantization"]
        values = self._network.get_tensor(tensor["index"]).reshape(-1).astype(np.float32)
        return (values - zero) * scale

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features float32 (n, F) and probabilities float32 (n, C) of uint8 (n, S, S, 3)."""
        features = np.empty((len(pictures), self.feature_dim), np.float32)
        logits = np.empty((len(pictures), self.classes), np.float32)
        for row, picture in enumerate(pictures):
            self._network.set_tensor(self._input["index"], picture[None])
            self._network.invoke()
            features[row] = self._read(self._pooled)
            logits[row] = self._read(self._logits)[1:]
        exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
        return features, exponent / exponent.sum(axis=1, keepdims=True)
