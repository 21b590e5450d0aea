"""A file becomes one upright picture in the net's colours, or one line that says why not. It scales and crops nothing.

What is read: the first frame; the EXIF rotation is applied; transparent pixels lie on white; 16 bits are scaled to 8;
CMYK, palettes and greys are converted. Colour profiles are ignored, as they were when ImageNet was prepared.
"""

from __future__ import annotations

import io
import logging
import os
import stat
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from PIL import Image, UnidentifiedImageError

from netspec_runtime.card import Channels
from netspec_runtime.errors import DataError
from netspec_runtime.sources import SPECIAL_FILE, STDIN

MAX_PIXELS: Final = 100_000_000  # 10,000 x 10,000: 300 MB once decoded
MAX_STREAM: Final = 1 << 28  # bytes from standard input or a pipe
# Decoders that run inside Pillow and are fuzzed; EPS, say, would start Ghostscript.
FORMATS: Final = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")

_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_STDERR: Final = threading.Lock()
_FIX: Final = "give a whole JPEG or PNG file"

# Pillow logs some of what it also raises; without a handler Python prints that to stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def read_picture(path: str, channels: Channels) -> Image.Image:
    """The picture at ``path`` (``-``: on standard input) in mode L for a grey net, else RGB. Raises DataError."""
    try:
        with _stream(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is worth saying about a picture is said in one line
            return decode_picture(path, stream, channels)
    except OSError as error:
        raise DataError(path, error.strerror or "cannot be read", "check the path") from error


def _stream(path: str) -> AbstractContextManager[BinaryIO]:
    """The bytes of ``path``; a file is not read yet, a pipe is read to its end."""
    if path == STDIN:
        return nullcontext(_whole(path, sys.stdin.buffer))
    mode = Path(path).stat().st_mode
    if stat.S_ISREG(mode):
        return Path(path).open("rb")
    if not stat.S_ISFIFO(mode):
        raise DataError(path, SPECIAL_FILE, _FIX)
    with Path(path).open("rb") as pipe:
        return nullcontext(_whole(path, pipe))


def _whole(path: str, stream: BinaryIO) -> BinaryIO:
    content = stream.read(MAX_STREAM + 1)
    if not content:
        raise DataError(path, "nothing came in", "pipe one picture into it")
    if len(content) > MAX_STREAM:
        raise DataError(path, f"more than {MAX_STREAM >> 20} MiB came in", "give the file's path instead")
    return io.BytesIO(content)


def decode_picture(name: str, stream: BinaryIO, channels: Channels) -> Image.Image:
    """The picture in ``stream``, which errors call ``name``, in mode L for a grey net, else RGB. Raises DataError.

    Python's warnings are the caller's to silence: that is a setting of the whole process, and this may run in threads.
    """
    try:
        with Image.open(stream, formats=FORMATS) as picture:
            _check_size(name, picture.size)
            return _coloured(name, _upright(picture), channels)
    except UnidentifiedImageError as error:
        raise DataError(name, "no picture in any format that is read here", _FIX) from error
    except Image.DecompressionBombError as error:
        raise _too_large(name, "far") from error
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything when the bytes are damaged
        raise DataError(name, f"cannot be decoded ({str(error) or type(error).__name__})", _FIX) from error


def _check_size(path: str, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width} x {height} pixels,")


def _too_large(path: str, size: str) -> DataError:
    return DataError(path, f"too large: {size} more than {MAX_PIXELS:,} pixels", "scale it down first")


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as its camera was held. A damaged EXIF block says nothing, so it turns nothing."""
    with _silent() if picture.format == "TIFF" else nullcontext():
        picture.load()
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - Pillow's reader of EXIF raises nearly anything when the bytes are damaged
        return picture
    turn = _UPRIGHT.get(orientation)
    return picture if turn is None else picture.transpose(turn)


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing on the process's stderr: libtiff writes there what it also reports as an error. One thread at a time."""
    with _STDERR, Path(os.devnull).open("wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _coloured(path: str, picture: Image.Image, channels: Channels) -> Image.Image:
    """The picture in the mode for ``channels``."""
    if picture.mode == "F" or picture.mode.startswith("I"):
        picture = _eight_bits(path, picture)
    if picture.has_transparency_data:
        picture = _on_white(picture)
    mode = "L" if channels is Channels.GREY else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


def _eight_bits(path: str, picture: Image.Image) -> Image.Image:
    """A grey picture of 16 bits as one of 8; numbers beyond have no agreed scale."""
    low, high = picture.convert("F").getextrema()
    if picture.mode == "F" or not 0 <= _number(low) <= _number(high) <= 65535:
        raise DataError(path, "pixels of 32 bits, which have no agreed scale", "save it with 8 or 16 bits")
    return picture.convert("F").point(lambda grey: grey * (1 / 257) + 0.5).convert("L")


def _number(extreme: float | tuple[int, int]) -> float:
    return extreme if isinstance(extreme, int | float) else float("nan")


def _on_white(picture: Image.Image) -> Image.Image:
    layered = picture.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    white.alpha_composite(layered)
    return white
