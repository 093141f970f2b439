"""Files for docs/benchmarks: pages in Markdown with tables, and plots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PAGES = Path(__file__).parent / "pages"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"row {row[0]!r} has {len(row)} cells, and the head {len(head)}")
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def fill_page(name: str, **values: str) -> str:
    """The page `name` of benchmarks/pages with `values` in the places of `$value`.

    Raises `KeyError` for a place without a value.
    """
    return Template((_PAGES / name).read_text(encoding="utf-8")).substitute(values)


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def figure(columns: int, height: float, *, width: float = 5) -> tuple[Any, Sequence[Axes]]:
    """A figure of `columns` plots side by side, and the plots; sizes in inches, the width of each.

    Raises `SystemExit` without matplotlib.
    """
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("the plots need matplotlib: pip install matplotlib") from None
    matplotlib.use("svg")
    # Text stays text, and ids do not depend on chance: the file is small and its changes legible.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "photosearch"}
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots(
        1, columns, figsize=(width * columns, height), layout="constrained", squeeze=False
    )
    for axis in axes[0]:
        axis.spines[["top", "right"]].set_visible(False)
    return drawn, list(axes[0])


def save_figure(drawn: Any, path: Path) -> None:
    """Write the figure as SVG, without the date."""
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(drawn)
