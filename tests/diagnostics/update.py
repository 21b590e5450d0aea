"""`python -m tests.diagnostics.update` writes the expected renderings of specs/invalid anew; read the diff then."""

from __future__ import annotations

import sys

from tests.diagnostics.examples import examples, rendering


def main() -> None:
    """Write every rendering that has changed, and name it."""
    for path in examples():
        expected, text = path.with_suffix(".txt"), rendering(path)
        if not expected.exists() or expected.read_text(encoding="utf-8") != text:
            expected.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {expected.name}\n")


if __name__ == "__main__":
    main()
