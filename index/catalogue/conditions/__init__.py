"""Conditions on photos, each with the query that gives the photos for which it holds.

    InPlace("rome").query(connection)

Where a photo does not say what a condition asks about, the condition does not hold, and its `Not`
does. A new condition is one more class, `Simple`, in one of these modules.
"""

from index.catalogue.conditions.chosen import Chosen
from index.catalogue.conditions.condition import Condition, Either, Every, Not, Simple
from index.catalogue.conditions.dates import FileDated, Taken, TakenInMonth, TakenOnDays
from index.catalogue.conditions.files import InFolder, OfFormat, Screenshot, Shaped, Sized
from index.catalogue.conditions.notes import (
    InAlbum,
    InAlbumCalled,
    Made,
    Noting,
    Peopled,
    Rated,
    Read,
    Saying,
    Showing,
    Tagged,
)
from index.catalogue.conditions.places import InPlace, Located, Near, Within

__all__ = [
    "Chosen",
    "Condition",
    "Either",
    "Every",
    "FileDated",
    "InAlbum",
    "InAlbumCalled",
    "InFolder",
    "InPlace",
    "Located",
    "Made",
    "Near",
    "Not",
    "Noting",
    "OfFormat",
    "Peopled",
    "Rated",
    "Read",
    "Saying",
    "Screenshot",
    "Shaped",
    "Showing",
    "Simple",
    "Sized",
    "Tagged",
    "Taken",
    "TakenInMonth",
    "TakenOnDays",
    "Within",
]
