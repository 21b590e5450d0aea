"""A small file server on this machine that misbehaves on request. It expects nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


@dataclass
class Files(ThreadingHTTPServer):
    """Serves ``content`` by path. ``asked`` are the requests so far: path and Range.

    ``breaks_after``: every connection ends after so many bytes of a body. ``whole``: Range is ignored. ``sizeless``: no
    Content-Length. ``status``: what every answer is instead. ``moved``: where every answer says that the file is.
    ``mute``: no answer until ``close``.
    """

    content: dict[str, bytes]
    breaks_after: int | None = None
    whole: bool = False
    sizeless: bool = False
    status: int | None = None
    moved: str | None = None
    mute: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)

    __hash__ = ThreadingHTTPServer.__hash__

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/files"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        files = cast(Files, self.server)
        wanted = self.headers.get("Range", "")
        files.asked.append((self.path, wanted))
        if files.mute:
            files.closed.wait(20)
            return
        if files.moved:
            self.send_response(302)
            self.send_header("Location", files.moved)
            self.end_headers()
            return
        body = files.content.get(self.path.removeprefix("/files/"))
        if files.status or body is None:
            self.send_error(files.status or 404)
            return
        start = int(wanted[6:-1]) if wanted and not files.whole else 0
        if start and start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if not files.sizeless:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start:][: files.breaks_after])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        return


@contextmanager
def serving(content: dict[str, bytes]) -> Iterator[Files]:
    """The server while it runs."""
    files = Files(content)
    thread = threading.Thread(target=files.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield files
    finally:
        files.closed.set()
        files.shutdown()
        thread.join()
        files.server_close()
