"""Numbers as people read them: thousands separated, bytes in binary units. It aligns nothing."""

from __future__ import annotations


def count(number: int) -> str:
    """``34,944``; empty for 0, so that what matters stands out in a column."""
    return f"{number:,}" if number else ""


def size(number: int) -> str:
    """Bytes: ``588.0 KiB``, ``232.6 MiB``."""
    if number < 1024:
        return f"{number:,} B"
    scaled, unit = number / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if scaled < 1024:
            break
        scaled, unit = scaled / 1024, larger
    return f"{scaled:,.1f} {unit}"


def rounded(number: int) -> str:
    """``364 M``, ``32.5 M``, ``35 k``, ``812``: at most three digits that matter."""
    for unit, letter in ((10**12, " T"), (10**9, " G"), (10**6, " M"), (10**3, " k")):
        if number >= unit:
            return f"{number / unit:.3g}{letter}" if number < 999.5 * unit else f"{number / unit:,.0f}{letter}"
    return str(number)
