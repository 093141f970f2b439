"""The text network in a process of its own: the same vectors, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from forked import alive
from optional import needs

from photosearch.encoders import bundled_path, open_encoder

pytestmark = needs(
    sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1,
    "Linux, and two cores: the process is a fork with a core of its own",
)

_TEXTS = ["two dogs on a beach", "a bridge at night", "\ud800 and a cat"]
# Reads no more than a command has read when it starts the process.
_BEGIN = """
import sys
from photosearch.text_process import begin, begun
begin()
process = begun()._process
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", _BEGIN + code], capture_output=True, cwd=folder, timeout=300
    )


@pytest.mark.parametrize("default", [True, False], ids=["the default model", "another model"])
def test_it_gives_the_vectors_that_the_network_gives(
    default: bool, tiny_bundle: Path, tmp_path: Path
) -> None:
    bundle = bundled_path() if default else tiny_bundle
    code = f"""
from photosearch.encoders import open_encoder
import numpy as np
encoder = open_encoder({str(bundle)!r})
vectors = [encoder.encode_texts({_TEXTS!r}), encoder.encode_texts({_TEXTS[:1]!r})]
assert "onnxruntime" not in sys.modules
assert encoder.encode_texts([]).shape == (0, encoder.dim)
np.save("vectors.npy", np.concatenate(vectors))
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    expected = open_encoder(bundle).encode_texts([*_TEXTS, _TEXTS[0]])
    assert np.allclose(np.load(tmp_path / "vectors.npy"), expected, atol=1e-5)


def test_where_it_was_killed_the_command_encodes_itself(tiny_bundle: Path, tmp_path: Path) -> None:
    code = f"""
import os
import signal
from photosearch.encoders import open_encoder
os.kill(process, signal.SIGKILL)
encoder = open_encoder({str(tiny_bundle)!r})
assert encoder.encode_texts(["a dog"]).shape == (1, 32)
assert "onnxruntime" in sys.modules
"""
    done = run(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_it_cannot_do_is_told_by_the_command(tmp_path: Path, tiny_bundle: Path) -> None:
    """As of a bundle that was damaged after it was opened."""
    code = f"""
from pathlib import Path
import shutil
from photosearch.encoders import open_encoder
from photosearch.errors import BundleError
shutil.copytree({str(tiny_bundle)!r}, "bundle")
encoder = open_encoder("bundle")
Path("bundle/text.onnx").write_bytes(b"damaged")
try:
    encoder.encode_texts(["a dog"])
except BundleError as error:
    print(error)
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"text.onnx" in done.stdout


def test_it_holds_no_stream_and_is_waited_for(tmp_path: Path) -> None:
    code = """
import os
import time
numbers = {name: os.readlink(f"/proc/{process}/fd/{name}") for name in "012"}
while set(numbers.values()) != {os.devnull}:
    time.sleep(0.01)
    numbers = {name: os.readlink(f"/proc/{process}/fd/{name}") for name in "012"}
print(process)
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    # A child that nobody waited for would still be in the table.
    assert not Path(f"/proc/{int(done.stdout)}").exists()


def test_it_ends_with_a_command_that_is_killed(tmp_path: Path) -> None:
    code = "import time\nprint(process, flush=True)\ntime.sleep(300)\n"
    with subprocess.Popen(
        [sys.executable, "-c", _BEGIN + code], stdout=subprocess.PIPE, cwd=tmp_path
    ) as command:
        assert command.stdout is not None
        process = int(command.stdout.readline())
        command.send_signal(signal.SIGKILL)
    for _ in range(3000):
        if not alive(process) or _is_ended(process):
            return
        time.sleep(0.05)
    raise AssertionError("it goes on")


def _is_ended(process: int) -> bool:
    """Whether only the table has it: here nobody may wait for the children of others."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
