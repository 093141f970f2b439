"""Nothing leaves the machine, and nothing is left where it does not belong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ENCODE = """
import sys
from PIL import Image
from photosearch.encoders import open_encoder
encoder = open_encoder(sys.argv[1])
encoder.encode_texts(["a cat"])
encoder.encode_images([Image.new("RGB", (80, 60))])
"""


def test_onnx_runtime_keeps_no_usage_data(tiny_bundle: Path, tmp_path: Path) -> None:
    # Its telemetry shows by a device id and a database of events under the home folder.
    places = ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "USERPROFILE")
    environment = {
        name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"
    } | dict.fromkeys(places, str(tmp_path))
    subprocess.run(
        [sys.executable, "-c", ENCODE, str(tiny_bundle)], env=environment, check=True, timeout=120
    )
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == []
