"""What a file that was given as a model or as weights seems to be instead. It opens no models."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

_PICTURES: Final = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n",
    "GIF": rb"GIF8[79]a",
    "WebP": rb"RIFF....WEBP",
    "TIFF": rb"II\*\0|MM\0\*",
    "BMP": rb"BM.{4}\0{4}",
}
_BUILD: Final = "give an ONNX file written by `netspec build`"
_ZIP: Final = b"PK\3\4"
_TORCH: Final = "SPEC {}"
_IMPORTED: Final = {".onnx": "{}", ".caffemodel": "NET.prototxt {}", ".pth": _TORCH, ".pt": _TORCH}
_NO_TEXT: Final = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_LAYERS: Final = re.compile(rb"^[\"']?netspec[\"']?\s*:", re.MULTILINE)


def seems(name: str, head: bytes) -> tuple[str, str] | None:
    """What the file is, and what to do; None where it cannot be told from its first few hundred bytes, ``head``.

    Only for a file that does not parse: the bytes of a model may begin as any of these by chance.
    """
    if head[8:9] == b"{" and head[5:8] == bytes(3):  # eight bytes of a length, then JSON
        return (
            "these are weights (safetensors)",
            "give the folder of their run, or `netspec build SPEC --weights` for a model",
        )
    for kind, magic in _PICTURES.items():
        if re.match(magic, head, re.DOTALL):
            return f"this is a picture ({kind})", _BUILD
    if head.startswith(_ZIP):
        return "this is a ZIP archive, as weights of torch are", "bring weights in with `netspec import`, and build"
    return _text(name, head)


def how_to_import(path: Path) -> str | None:
    """How to make safetensors of another tool's file of weights, by its suffix or, of torch's, its first bytes.

    None for other files. Only for a file that is no safetensors. Raises OSError.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        from_torch = file.read(4).startswith((_ZIP, b"\x80"))  # as state_dicts were saved since 2020, and before
    files = _TORCH if from_torch else _IMPORTED.get(path.suffix.lower())
    if files is None:
        return None
    given = files.format(shlex.quote(str(path)))
    return f"make a safetensors file of it: netspec import {given} -o weights.safetensors"


def _text(name: str, head: bytes) -> tuple[str, str] | None:
    if _NO_TEXT.search(head) or not _decodes(head):
        return None
    if name.endswith((".yaml", ".yml")) or _LAYERS.search(head):
        return "this is a layer file", "build it first, with `netspec build`, and give the ONNX file that this writes"
    return "this is text", _BUILD


def _decodes(head: bytes) -> bool:
    try:
        head[:-3].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 6  # a character may be cut
    return True
