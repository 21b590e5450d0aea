"""What a file seems to be that is no text of Caffe's: empty, binary, of cuda-convnet. It reads no net."""

from __future__ import annotations

import re
from typing import Final

from netspec.diagnostics import Diagnostic, SpecError
from netspec.source import Source, whole

_COMMENT: Final = re.compile("#.*")
_SECTION: Final = re.compile(r"\s*\[\s*[A-Za-z0-9_]+\s*\]")
_BINARY: Final = re.compile("[\x00-\x08\x0e-\x1f]")


def check_seems_caffe(source: Source) -> None:
    """Raise SpecError NS801 for a file without text, NS807 for one that seems to be of another kind."""
    if _BINARY.search(source.text):
        message, help = "this file is binary, and no text of Caffe's", "if it holds weights, call it .caffemodel"
        raise SpecError([Diagnostic("NS807", message, whole(Source(source.name, "")), help=help)])
    text = _COMMENT.sub("", source.text)
    if not text.strip():
        message = "there are only comments in this file" if source.text.strip() else "the file is empty"
        raise SpecError([Diagnostic("NS801", message, whole(source), help="give a .prototxt with layers")])
    if _SECTION.match(text):
        message = "this seems to be a file of cuda-convnet: it begins with a section in brackets"
        raise SpecError([Diagnostic("NS807", message, whole(source), help="call it .cfg")])
