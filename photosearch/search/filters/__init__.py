"""Filters: `name:value` in the box, options of the command line, parameters of HTTP and Python.

Each is one `Filter`, in `dates`, `places`, `files` or `notes`, and a condition on the catalogue in
the end. Everything that is said or asked of one comes from there: add a filter to one of these
modules, and run `python docs/filter_tables.py`, which writes what is derived. Other packages may
bring more, see docs/plugins.md.
"""

from photosearch.search.filters.asked import Filters
from photosearch.search.filters.dates import taken
from photosearch.search.filters.filter import Argument, Filter, Help, Read, Row
from photosearch.search.filters.places import in_place
from photosearch.search.filters.registry import (
    FILTERS,
    combined,
    filter_named,
    filters,
    names,
    read,
)
from photosearch.search.filters.world import World

__all__ = [
    "FILTERS",
    "Argument",
    "Filter",
    "Filters",
    "Help",
    "Read",
    "Row",
    "World",
    "combined",
    "filter_named",
    "filters",
    "in_place",
    "names",
    "read",
    "taken",
]
