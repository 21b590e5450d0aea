"""A comparison as a JSON document: every difference on its own, no layout."""

from __future__ import annotations

from netspec.difference.result import Difference, Row, Side


def difference_as_json(difference: Difference) -> dict[str, object]:
    """Lines count from 1; null where the place is not known, and for a net that has nothing of the kind."""
    return {
        "a": difference.a,
        "b": difference.b,
        "equal": difference.equal,
        "differences": [_row(row) for row in difference.rows],
        "sizes": [_row(row) for row in difference.sizes],
        "totals": {total.what: [total.a, total.b] for total in difference.totals},
        "pairs": [list(pair) for pair in difference.pairs],
    }


def _row(row: Row) -> dict[str, object]:
    return {"kind": row.kind, "what": row.what, "a": _side(row.a), "b": _side(row.b)}


def _side(side: Side | None) -> dict[str, object] | None:
    if side is None:
        return None
    place = {"source": side.source, "line": side.line} if side.line else {"source": None, "line": None}
    return {"layer": side.layer or None, "text": side.text, **place}
