"""FAISS computes by OpenMP, which reads its settings by the rules of the user's language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from optional import needs

TURKISH = Path("/usr/share/i18n/locales/tr_TR")


@pytest.mark.slow
@needs(TURKISH.exists() and shutil.which("localedef"), "Debian's package locales")
def test_it_takes_them_where_the_language_is_turkish(tmp_path: Path) -> None:
    """Whose capital of "i" is not "I"."""
    made = tmp_path / "tr_TR.UTF-8"
    subprocess.run(["localedef", "-i", TURKISH, "-f", "UTF-8", made], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from index.vectors.faiss_library import faiss_library; faiss_library()",
        ],
        env=environment | {"LOCPATH": str(tmp_path), "LC_ALL": made.name},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")
