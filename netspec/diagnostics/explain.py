"""`netspec explain NS302`: what a code means, how to mend it, and a file that shows it. It renders no findings."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill, indent

from netspec.diagnostics.codes import CODES
from netspec.spec.shipped import shipped_folder

WIDTH = 96


def explain_code(code: str) -> str:
    """The explanation of a code as text, with the first of its examples. Raises KeyError for a code that is not."""
    entry = CODES[code]
    parts = [f"{entry.name}: {entry.title}", fill(entry.why, WIDTH), fill(f"To mend it: {entry.mend}", WIDTH)]
    for example in examples(code)[:1]:
        shown = example.with_suffix(".txt").read_text(encoding="utf-8")
        parts += [
            "For example, this file:",
            indent(example.read_text(encoding="utf-8").strip("\n"), "    "),
            "gives:",
            indent(shown.strip("\n"), "    "),
        ]
    return "\n\n".join(parts) + "\n"


def examples(code: str) -> list[Path]:
    """The files of specs/invalid that show a code, each beside its expected rendering."""
    return sorted(path for path in (shipped_folder() / "invalid").glob(f"{code}-*") if path.suffix != ".txt")
