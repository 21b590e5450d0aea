"""What an import decided: as text, as JSON, and as the head of the spec that it writes. It decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Final

from netspec.importers.remark import Imported, Kind, Remark

_HEADINGS: Final[dict[Kind, str]] = {
    "meaning": "how it was read",
    "dropped": "left out (it changes training at most)",
    "lost": "LOST (the net is another without it)",
}
_SHOWN: Final = 4  # remarks of one topic; `--json` has all


def render_remarks(remarks: Sequence[Remark]) -> str:
    """The remarks by kind and topic: equal ones once, with the first of their places."""
    lines, files = [], _short_names(remarks)
    for kind, heading in _HEADINGS.items():
        if chosen := [remark for remark in remarks if remark.kind == kind]:
            lines += [f"{heading}:", *(f"  {line}" for line in _lines(chosen, files))]
    return "".join(f"{line}\n" for line in lines)


def head_of(imported: Imported, sources: Iterable[str]) -> str:
    """Comments for the beginning of the spec: where it is from, and each decision without its place."""
    lines = [f"Imported by netspec from {', '.join(sources)}."]
    for kind, heading in _HEADINGS.items():
        if chosen := [remark for remark in imported.remarks if remark.kind == kind]:
            lines += [f"{heading}:", *(f"  {line}" for line in _lines(chosen))]
    return "".join(f"# {_comment(line)}\n" for line in lines)


def import_document(imported: Imported) -> dict[str, object]:
    """All of it: each layer of the file with what became of it, and every remark. Lines and columns count from 1."""
    return {
        "layers": [
            {
                "name": origin.name,
                "type": origin.type,
                "file": origin.place.source.name,
                "line": origin.place.line + 1,
                "layer": origin.layer or None,
                "devices": list(origin.devices),
            }
            for origin in imported.origins
        ],
        "remarks": [
            {
                "kind": remark.kind,
                "topic": remark.topic,
                "text": remark.text,
                "layer": remark.layer or None,
                "file": remark.place.source.name,
                "line": remark.place.line + 1,
                "column": remark.place.column + 1,
            }
            for remark in imported.remarks
        ],
    }


def _short_names(remarks: Sequence[Remark]) -> dict[str, str]:
    """What to call each file: its name without folders, where that is its alone."""
    files = {remark.place.source.name for remark in remarks}
    names = Counter(PurePath(file).name for file in files)
    return {file: PurePath(file).name if names[PurePath(file).name] == 1 else file for file in files}


def _lines(remarks: list[Remark], files: Mapping[str, str] | None = None) -> Iterator[str]:
    """Without ``files``, what to call each, no places."""
    topics = dict.fromkeys(remark.topic for remark in remarks)
    width = max(map(len, topics))
    for topic in topics:
        same = _equal(remark for remark in remarks if remark.topic == topic)
        for number, (text, group) in enumerate(same[:_SHOWN]):
            where = f" ({_places(group, files)})" if files is not None else ""
            yield f"{topic if number == 0 else '':<{width}}  {_layers(group)}{text}{where}"
        if len(same) > _SHOWN:
            yield f"{'':<{width}}  and {len(same) - _SHOWN:,} more (--json has all)"


def _equal(remarks: Iterable[Remark]) -> list[tuple[str, list[Remark]]]:
    """Remarks that say the same, together; in the order of the first of each."""
    groups: dict[str, list[Remark]] = {}
    for remark in remarks:
        groups.setdefault(remark.text, []).append(remark)
    return list(groups.items())


def _layers(group: list[Remark]) -> str:
    names = [name for name, _ in groupby(remark.layer for remark in group) if name]
    more = f" and {len(names) - 2} more" if len(names) > 3 else ""
    shown = names[:2] if more else names
    return f"{', '.join(shown)}{more}: " if names else ""


def _places(group: list[Remark], files: Mapping[str, str]) -> str:
    first = group[0].place
    return f"{files[first.source.name]}:{first.line + 1}" + (f" and {len(group) - 1} more" if len(group) > 1 else "")


def _comment(line: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in line)
