"""FAISS, imported when it is first used."""

from __future__ import annotations

import os
from functools import cache
from typing import Any


@cache
def faiss_library() -> Any:
    # Threads that wait for the next search would otherwise keep cores busy that others could use.
    # In small letters: where the language is Turkish, libgomp does not take an "I" for its "i".
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Imported when first used, so that what never searches does not wait for it.
    import faiss

    return faiss
