"""Find any photo on your own machine by describing it.

from photosearch import Library

with Library.open() as library:
    for event in library.index(["~/Pictures"]):
        print(event)
    for hit in library.search("two dogs on a beach"):
        print(hit.score, hit.path)

All that a program gets or needs is imported from here; docs/api.md tells of it.
"""

from typing import TYPE_CHECKING, Any

from photosearch.errors import (
    BundleError,
    DownloadError,
    LibraryError,
    LostPlaceError,
    PhotoIdError,
    PhotosearchError,
    UsageError,
)

if TYPE_CHECKING:
    from index import (
        FileStamp,
        ListedPhoto,
        Mark,
        Metadata,
        PhotoFile,
        Place,
        Region,
        SavedSearch,
        Verdict,
    )
    from index.catalogue.albums import Album
    from index.catalogue.areas import Area
    from index.catalogue.browsing import BrowseBy, PhotoGroup
    from index.catalogue.clusters import Cluster
    from index.catalogue.conditions import Condition
    from index.catalogue.days import Day, Days, MonthOfDays
    from index.catalogue.face_answers import FaceAnswer
    from index.catalogue.faces import FaceGroup, FaceSeen
    from index.catalogue.feed import Change, Changes
    from index.catalogue.own_people import OwnPerson
    from photosearch.about import About
    from photosearch.browsing.anniversaries import Anniversaries, Anniversary
    from photosearch.browsing.people import Person, PersonSeen
    from photosearch.browsing.trips import Trip
    from photosearch.doctor.finding import Finding
    from photosearch.encoders import Encoder
    from photosearch.faces.questions import FaceQuestion
    from photosearch.faces.run import (
        FaceEvent,
        FacesFailed,
        FacesFound,
        FacesGrouped,
        FacesStarted,
    )
    from photosearch.indexing.events import (
        Absent,
        Event,
        Failed,
        Finished,
        Held,
        Indexed,
        Kept,
        OnBattery,
        Paired,
        Rebuilding,
        Recognised,
        Reencoded,
        Reread,
        Started,
        Switched,
    )
    from photosearch.library import Library
    from photosearch.library.albums import Albums
    from photosearch.library.faces import AskedFaces, Faces
    from photosearch.library.feedback import Feedback
    from photosearch.library.marks import Marks
    from photosearch.library.models import Advised, Model, Models, Removed
    from photosearch.library.people import People, PeopleEdit
    from photosearch.library.photos import Photos
    from photosearch.library.saved import Saved
    from photosearch.library.texts import Texts
    from photosearch.model_choice import Cutoffs
    from photosearch.ocr.run import ReadingEvent, ReadingStarted, TextFailed, TextRead
    from photosearch.photo import PhotoName
    from photosearch.portable import Exported, Imported
    from photosearch.pulling.advice import Advice
    from photosearch.pulling.offers import Offer
    from photosearch.pulling.run import Converting, Downloading, Pulled, PullEvent
    from photosearch.quantising.agreement import Agreement
    from photosearch.quantising.run import Quantised, QuantiseEvent, Tried, Trying
    from photosearch.search.duplicates import Duplicates
    from photosearch.search.embed import Picture
    from photosearch.search.facets import Choice, Facet, FacetName, Together
    from photosearch.search.filters import Filters
    from photosearch.search.find import Sort
    from photosearch.search.groups import Grouping, HitGroup
    from photosearch.search.hits import Hit, Hits
    from photosearch.search.instead import Fewer, Instead, Nearest
    from photosearch.search.ondisk import LeftOut
    from photosearch.search.query import (
        Described,
        Fact,
        Given,
        Part,
        Pictured,
        Query,
        QueryError,
        Reading,
        Term,
    )
    from photosearch.search.suggest import Suggestion
    from photosearch.search.why import Fitting, Share, Why
    from photosearch.sidecars import Naming, Sidecar
    from photosearch.status import Status
    from photosearch.tuning.run import Tuned
    from photosearch.watching import Watching

__version__ = "0.1.0"

__all__ = [
    "About",
    "Absent",
    "Advice",
    "Advised",
    "Agreement",
    "Album",
    "Albums",
    "Anniversaries",
    "Anniversary",
    "Area",
    "AskedFaces",
    "BrowseBy",
    "BundleError",
    "Change",
    "Changes",
    "Choice",
    "Cluster",
    "Condition",
    "Converting",
    "Cutoffs",
    "Day",
    "Days",
    "Described",
    "DownloadError",
    "Downloading",
    "Duplicates",
    "Encoder",
    "Event",
    "Exported",
    "FaceAnswer",
    "FaceEvent",
    "FaceGroup",
    "FaceQuestion",
    "FaceSeen",
    "Faces",
    "FacesFailed",
    "FacesFound",
    "FacesGrouped",
    "FacesStarted",
    "Facet",
    "FacetName",
    "Fact",
    "Failed",
    "Feedback",
    "Fewer",
    "FileStamp",
    "Filters",
    "Finding",
    "Finished",
    "Fitting",
    "Given",
    "Grouping",
    "Held",
    "Hit",
    "HitGroup",
    "Hits",
    "Imported",
    "Indexed",
    "Instead",
    "Kept",
    "LeftOut",
    "Library",
    "LibraryError",
    "ListedPhoto",
    "LostPlaceError",
    "Mark",
    "Marks",
    "Metadata",
    "Model",
    "Models",
    "MonthOfDays",
    "Naming",
    "Nearest",
    "Offer",
    "OnBattery",
    "OwnPerson",
    "Paired",
    "Part",
    "People",
    "PeopleEdit",
    "Person",
    "PersonSeen",
    "PhotoFile",
    "PhotoGroup",
    "PhotoIdError",
    "PhotoName",
    "Photos",
    "PhotosearchError",
    "Picture",
    "Pictured",
    "Place",
    "PullEvent",
    "Pulled",
    "QuantiseEvent",
    "Quantised",
    "Query",
    "QueryError",
    "Reading",
    "ReadingEvent",
    "ReadingStarted",
    "Rebuilding",
    "Recognised",
    "Reencoded",
    "Region",
    "Removed",
    "Reread",
    "Saved",
    "SavedSearch",
    "Share",
    "Sidecar",
    "Sort",
    "Started",
    "Status",
    "Suggestion",
    "Switched",
    "Term",
    "TextFailed",
    "TextRead",
    "Texts",
    "Together",
    "Tried",
    "Trip",
    "Trying",
    "Tuned",
    "UsageError",
    "Verdict",
    "Watching",
    "Why",
]

_LATER = {
    "index": "FileStamp ListedPhoto Mark Metadata PhotoFile Place Region SavedSearch Verdict",
    "index.catalogue.albums": "Album",
    "index.catalogue.areas": "Area",
    "index.catalogue.browsing": "BrowseBy PhotoGroup",
    "index.catalogue.clusters": "Cluster",
    "index.catalogue.conditions": "Condition",
    "index.catalogue.days": "Day Days MonthOfDays",
    "index.catalogue.face_answers": "FaceAnswer",
    "index.catalogue.faces": "FaceGroup FaceSeen",
    "index.catalogue.feed": "Change Changes",
    "index.catalogue.own_people": "OwnPerson",
    "photosearch.about": "About",
    "photosearch.browsing.anniversaries": "Anniversaries Anniversary",
    "photosearch.doctor.finding": "Finding",
    "photosearch.encoders": "Encoder",
    "photosearch.faces.questions": "FaceQuestion",
    "photosearch.faces.run": "FaceEvent FacesFailed FacesFound FacesGrouped FacesStarted",
    "photosearch.indexing.events": (
        "Absent Event Failed Finished Held Indexed Kept OnBattery "
        "Paired Rebuilding Recognised Reencoded Reread Started Switched"
    ),
    "photosearch.library": "Library",
    "photosearch.library.albums": "Albums",
    "photosearch.library.faces": "AskedFaces Faces",
    "photosearch.library.feedback": "Feedback",
    "photosearch.library.marks": "Marks",
    "photosearch.library.models": "Advised Model Models Removed",
    "photosearch.model_choice": "Cutoffs",
    "photosearch.library.people": "People PeopleEdit",
    "photosearch.library.photos": "Photos",
    "photosearch.library.saved": "Saved",
    "photosearch.library.texts": "Texts",
    "photosearch.ocr.run": "ReadingEvent ReadingStarted TextFailed TextRead",
    "photosearch.browsing.people": "Person PersonSeen",
    "photosearch.photo": "PhotoName",
    "photosearch.portable": "Exported Imported",
    "photosearch.pulling.advice": "Advice",
    "photosearch.pulling.offers": "Offer",
    "photosearch.pulling.run": "Converting Downloading PullEvent Pulled",
    "photosearch.quantising.agreement": "Agreement",
    "photosearch.quantising.run": "QuantiseEvent Quantised Tried Trying",
    "photosearch.search.duplicates": "Duplicates",
    "photosearch.search.facets": "Choice Facet FacetName Together",
    "photosearch.search.embed": "Picture",
    "photosearch.search.filters": "Filters",
    "photosearch.search.find": "Sort",
    "photosearch.search.groups": "Grouping HitGroup",
    "photosearch.search.hits": "Hit Hits",
    "photosearch.search.instead": "Fewer Instead Nearest",
    "photosearch.search.ondisk": "LeftOut",
    "photosearch.search.query": "Described Fact Given Part Pictured Query QueryError Reading Term",
    "photosearch.search.suggest": "Suggestion",
    "photosearch.search.why": "Fitting Share Why",
    "photosearch.sidecars": "Naming Sidecar",
    "photosearch.status": "Status",
    "photosearch.browsing.trips": "Trip",
    "photosearch.tuning.run": "Tuned",
    "photosearch.watching": "Watching",
}
_MODULES = {name: module for module, names in _LATER.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    # The processes that decode pictures import this package too, and need none of the rest.
    if name in _MODULES:
        from importlib import import_module

        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
