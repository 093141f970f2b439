"""Draws the icon, in the formats that the systems want: python packaging/icon.py."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

ICONS = Path(__file__).parent.parent / "assets" / "icons"
# Drawn four times as large, and shrunk, so that edges are smooth.
_SIDE = 2048


def draw(side: int = 512) -> Image.Image:
    """A picture with hills and a sun, under a magnifying glass."""
    image = Image.new("RGBA", (_SIDE, _SIDE))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((100, 100, 1948, 1948), 420, "#0f766e")
    pen.rounded_rectangle((380, 420, 1500, 1380), 130, "#f5efe6")
    pen.ellipse((560, 560, 780, 780), "#f59e0b")
    pen.polygon([(440, 1320), (820, 860), (1090, 1180), (1230, 1010), (1440, 1320)], "#14857b")
    pen.ellipse((930, 860, 1610, 1540), "#f5efe6", "#134e4a", 110)
    pen.polygon([(1060, 1330), (1260, 1060), (1480, 1330)], "#14857b")
    pen.line((1500, 1430, 1740, 1670), "#134e4a", 170)
    pen.ellipse((1655, 1585, 1825, 1755), "#134e4a")
    return image.resize((side, side), Image.Resampling.LANCZOS)


def draw_whole(side: int = 512) -> Image.Image:
    """The same without corners, for systems that cut icons out themselves: what is drawn lies
    within the circle that all of them leave.
    """
    image = Image.new("RGB", (side, side), "#0f766e")
    icon = draw(side * 3 // 4)
    image.paste(icon, (side // 8, side // 8), icon)
    return image


if __name__ == "__main__":
    ICONS.mkdir(parents=True, exist_ok=True)
    icon = draw()
    icon.save(ICONS / "photosearch.png", optimize=True)
    icon.save(ICONS / "photosearch.ico", sizes=[(16, 16), (32, 32), (48, 48), (256, 256)])
    icon.save(ICONS / "photosearch.icns")
    # For a browser that installs the page as an app.
    draw(192).save(ICONS / "photosearch-192.png", optimize=True)
    draw_whole().save(ICONS / "photosearch-maskable.png", optimize=True)
