"""How many examples the property tests try.

They are the same in every run, and few. To look for more, at other ones each time:
PHOTOSEARCH_EXAMPLES=20000 python -m pytest tests/properties
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_MORE = os.environ.get("PHOTOSEARCH_EXAMPLES")

settings.register_profile(
    "photosearch",
    deadline=None,
    derandomize=_MORE is None,
    database=None,
    max_examples=int(_MORE or 100),
    # They time how fast examples are made, which a busy machine decides.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("photosearch")
