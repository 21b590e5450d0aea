"""PNG files that claim any size. They hold hardly any pixels."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG file of 8-bit colours with this size in its header, whatever the rows."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
