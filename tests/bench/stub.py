"""Stub server on loopback that sends a stream."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable

__all__ = ["serve_stream"]


def serve_stream(*, events: int, gap_s: float, size: int = 0) -> tuple[str, Callable[[], None]]:
    """Serve a stream of *events*, each above *size* bytes, *gap_s* apart; return its URL and a function to stop it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for number in range(events):
                self._send_chunk(b'data: {"n": %d, "text": "%s"}\n\n' % (number, b"x" * size))
                time.sleep(gap_s)
            self._send_chunk(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _send_chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1/chat/completions", server.shutdown
