#!/usr/bin/env python3
"""Draw a picture of a class of netspec's drawn data set, which is in no data set drawn from any seed; no test data.

Usage: draw_shape.py CLASS SEED FILE.png
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from netspec_runtime.data.shapes import CLASSES, draw_picture


def main() -> int:
    """Write the picture to the file named on the command line, making its folder."""
    if len(sys.argv) != 4 or sys.argv[1] not in CLASSES or not sys.argv[2].isdecimal():
        print(f"usage: draw_shape.py CLASS SEED FILE.png; CLASS is one of {', '.join(CLASSES)}", file=sys.stderr)
        return 2
    name, seed, file = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_picture(CLASSES.index(name), seed)).save(file)
    print(f"drew {name} into {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
