#!/usr/bin/env python3
"""Draw the picture that `make demo` infers on: a boat at sea, the same bytes of pixels every time; no test data.

Usage: draw_demo_picture.py FILE.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 500, 375
HORIZON = 230
Colour = tuple[int, int, int]


def main() -> int:
    """Write the picture to the file named on the command line, making its folder."""
    if len(sys.argv) != 2:
        print("usage: draw_demo_picture.py FILE.png", file=sys.stderr)
        return 2
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    draw_boat().save(file)
    print(f"drew {file}")
    return 0


def draw_boat() -> Image.Image:
    """An RGB picture of ImageNet's most common size, 500 x 375."""
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(picture)
    fade(draw, 0, HORIZON, (96, 160, 224), (232, 224, 200))
    draw.ellipse((380, 40, 440, 100), fill=(255, 240, 176))
    fade(draw, HORIZON, HEIGHT, (48, 112, 144), (8, 40, 72))
    for row in range(HORIZON + 12, HEIGHT, 14):
        for column in range(row * 7 % 60, WIDTH, 60):
            draw.arc((column, row, column + 30, row + 8), 180, 360, fill=(144, 192, 208))
    draw.polygon([(140, 250), (340, 250), (300, 296), (180, 296)], fill=(120, 56, 32))
    draw.line([(236, 250), (236, 70)], fill=(72, 48, 32), width=5)
    draw.polygon([(242, 76), (242, 238), (330, 238)], fill=(248, 248, 240))
    draw.polygon([(230, 96), (230, 238), (164, 238)], fill=(208, 64, 48))
    return picture


def fade(draw: ImageDraw.ImageDraw, top: int, bottom: int, first: Colour, last: Colour) -> None:
    """Fill the rows from `top` to before `bottom` with colours from `first` to `last`, in integer steps."""
    for row in range(top, bottom):
        colour = tuple(a + (b - a) * (row - top) // (bottom - top) for a, b in zip(first, last, strict=True))
        draw.line([(0, row), (WIDTH, row)], fill=colour)


if __name__ == "__main__":
    sys.exit(main())
