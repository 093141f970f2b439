"""Screenshots as phones make them: pages of text that differ in nothing but the words."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

BOARDING = (
    "LH 1234  FRA - JFK",
    "Passenger: ADA LOVELACE",
    "Seat 12A   Gate B22",
    "Boarding 10:35",
    "Group 2",
    "Terminal 1",
)
WIFI = (
    "Network: Hotel Guest",
    "Password: kX9-mmTq-77",
    "Valid until 12 May",
    "Please do not share",
    "Front desk: 0",
    "Breakfast 7-10",
)
BUDGET = (
    "Rent        1,240.00",
    "Food          380.50",
    "Car           210.00",
    "Insurance      95.20",
    "Savings       400.00",
    "Total       2,325.70",
)


def changed(lines: Sequence[str], number: int, line: str) -> tuple[str, ...]:
    return (*lines[:number], line, *lines[number + 1 :])


def screen(
    lines: Sequence[str],
    *,
    size: tuple[int, int] = (1080, 2400),
    paper: str = "white",
    ink: str = "black",
    bar: str = "#3366cc",
) -> Image.Image:
    """A page of text below a coloured bar with the time, as large as a phone's screen."""
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    scale = size[0] / 1080

    def write(x: float, y: float, text: str, height: float, colour: str) -> None:
        font = ImageFont.load_default(height * scale)
        draw.text((x * scale, y * scale), text, font=font, fill=colour)

    draw.rectangle((0, 0, size[0], 180 * scale), fill=bar)
    write(40, 8, "14:34", 36, "white")
    write(40, 60, "Screenshot", 64, "white")
    for number, line in enumerate(lines):
        write(60, 300 + 90 * number, line, 44, ink)
    return image
