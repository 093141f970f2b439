"""What the page's scripts ask for: JSON below /api, pictures by the photo's id.

start       the shelves of the start page
search      by a text or a picture
facets      filters to choose from
suggest     what may be meant by what is typed, and recent searches
saved       searches that were saved
photos      one photo
originals   the files themselves
sharing     copies of many: a zip file, a folder, a web album
albums      photos in groups and in albums
map         photos where they were taken
people      who is in photos, and what is said of these people
faces       whether they are looked for, and whose they are
marks       ratings and keywords
verdicts    what is right for a query, and learning from it
timeline    all photos by their days, and trips
duplicates  photos that are there more than once
library     what the library holds, and how it is
indexing    the index run
reading     text in photos
models      those that are here, and those to download
window      what a window of our own can do

A photo is always named by its id in the catalogue; no path from a request is opened. The one
exception is the list of folders to choose from, which gives names of folders only.
"""

from photosearch.ui.routes import (
    albums,
    duplicates,
    faces,
    facets,
    indexing,
    library,
    map,
    marks,
    models,
    originals,
    people,
    photos,
    reading,
    saved,
    search,
    sharing,
    start,
    suggest,
    timeline,
    verdicts,
    window,
)

ROUTERS = tuple(
    module.router
    for module in (
        start,
        search,
        facets,
        suggest,
        saved,
        photos,
        originals,
        sharing,
        albums,
        map,
        people,
        faces,
        marks,
        verdicts,
        timeline,
        duplicates,
        library,
        indexing,
        reading,
        models,
        window,
    )
)
