"""A web server of files that can fail in the ways a download meets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """``files``: name → content. ``cut``: requests still to come that end after half of what they
    should send. ``statuses``: what the next requests are answered with instead. ``gate``: what a
    request waits for after its first half. ``asked``: (name, its Range) of every request.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"1"'
    ranges: bool = True
    page: bytes | None = None
    cut: int = 0
    statuses: list[int] = field(default_factory=list)
    gate: threading.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            wanted = self.headers.get("Range")
            server.asked.append((name, wanted))
            if server.statuses:
                self.send_error(server.statuses.pop(0))
                return
            if server.page is not None:
                self._send(200, server.page, {"Content-Type": "text/html"})
                return
            content = server.files.get(name)
            if content is None:
                self.send_error(404)
                return
            headers = {"ETag": server.etag, **server.headers} if server.etag else server.headers
            same = self.headers.get("If-Range") in (None, server.etag)
            if wanted and server.ranges and same:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                    return
                span = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self._send(206, content[start:], {**headers, "Content-Range": span})
            else:
                self._send(200, content, headers)

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.wfile.flush()
            if server.gate is not None:
                server.gate.wait(30)
            if server.cut:
                server.cut -= 1
                self.close_connection = True
                return
            self.wfile.write(body[half:])

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler


@contextmanager
def serving() -> Iterator[FileServer]:
    """A `FileServer` on a free port of this machine."""
    server = FileServer()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(server)) as listener:
        listener.handle_error = lambda *args: None  # a client may hang up
        server.address = f"http://127.0.0.1:{listener.server_address[1]}"
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
