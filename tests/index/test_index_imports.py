"""What the index imports, and when: a search waits for no more than it uses."""

from __future__ import annotations

from pathlib import Path

from catalogue_data import BUNDLE, child, finish, new_photos, unit_vectors

from index import Catalogue, FaissIndex

HEAVY = "{'click', 'faiss', 'onnxruntime', 'pandas', 'photosearch', 'sqlite_utils', 'torch'}"
REPORT = f"\nprint(sorted({HEAVY} & set(sys.modules)))"


def test_importing_the_index_imports_neither_faiss_nor_sqlite_utils() -> None:
    assert finish([child("import index" + REPORT)]) == ["[]\n"]


def test_making_a_catalogue_imports_no_pandas(tmp_path: Path) -> None:
    """sqlite-utils would, and it may be imported afterwards."""
    code = """
from pathlib import Path
from index import Catalogue
Catalogue.open(Path(sys.argv[1])).close()
"""
    assert finish([child(code + REPORT, tmp_path)]) == ["['click', 'sqlite_utils']\n"]


def test_a_search_imports_faiss_and_not_sqlite_utils(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path) as catalogue:
        catalogue.record(BUNDLE, new_photos(2), unit_vectors(2))
        FaissIndex.open(catalogue, BUNDLE)

    code = f"""
from pathlib import Path
import numpy as np
from index import Catalogue, FaissIndex
with Catalogue.open(Path(sys.argv[1])) as catalogue:
    catalogue.counts()
    _, ids = FaissIndex.open(catalogue, {BUNDLE!r}).search(np.ones((1, 16), np.float32), 1)
    catalogue.photos(ids[0])
"""
    assert finish([child(code + REPORT, tmp_path)]) == ["['faiss']\n"]
