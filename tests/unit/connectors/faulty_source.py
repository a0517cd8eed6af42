"""A tiny source over HTTP that can misbehave in every way a test asks for."""

from __future__ import annotations

import gzip
import hashlib
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORKBOOK = b"PK\x03\x04 invented workbook bytes " * 200


JSON, ERROR = "application/json", b'{"error": "broken"}'
PACKED = {"Content-Encoding": "gzip"}
ANSWERS: dict[str, Any] = {
    "429": (ERROR, JSON, 429, {"Retry-After": "1"}),
    "429-date": (ERROR, JSON, 429, {"Retry-After": "Wed, 21 Oct 2026 07:28:05 GMT"}),
    "429-years": (ERROR, JSON, 429, {"Retry-After": "315360000"}),
    "500": (ERROR, JSON, 500),
    "503": (ERROR, JSON, 503),
    "html": (b"<!DOCTYPE html><html><body>Login</body></html>", "text/html"),
    "html-as-json": (b"<html><body>Login</body></html>", JSON),
    "empty": (b"", JSON),
    "error-200": (ERROR, JSON),
    "duplicate-keys": (b'{"total": 1, "total": 2, "items": []}', JSON),
    "nan": (b'{"total": NaN, "items": []}', JSON),
    "redirect": (b"", "text/plain", 302, {"Location": "http://192.0.2.1/api/communes"}),
    "cut-gzip": (gzip.compress(b'{"items": []}' + b" " * 5000)[:-20], JSON, 200, PACKED),
    "bomb": (gzip.compress(b" " * 50_000_000), JSON, 200, PACKED),
}


@dataclass
class Source:
    """What the server holds, and the faults planned for the next requests (one each)."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    logins: int = 0
    asked: list[str] = field(default_factory=list)
    on_page: Callable[[int], None] | None = None
    pages: int = 0
    files: dict[str, bytes] = field(default_factory=lambda: {"e1": WORKBOOK})


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    source: Source

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.source.logins += 1
        token = f"token-{self.source.logins}"
        self.source.tokens = {token}
        self.send({"token": token, "expires_in": 60})

    def do_GET(self) -> None:
        source = self.source
        source.asked.append(self.path)
        fault = source.faults.pop(0) if source.faults else ""
        if fault and self.misbehave(fault):
            return
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in source.tokens:
            self.send({"error": "token"}, 401)
        elif self.path.startswith("/api/communes/"):
            items = [
                {"export_id": name, "file_name": f"{name}.xlsx", "size": len(data),
                 "sha256": hashlib.sha256(data).hexdigest(), "created_at": "2026-01-01T00:00:00"}
                for name, data in source.files.items()
            ]  # fmt: skip
            self.send({"items": items})
        elif self.path == "/api/communes":
            self.send({"items": [{"commune_code": "02647", "commune_name": "X", "province_code": "15"}]})
        elif self.path.startswith("/api/exports/"):
            self.bytes(source.files[self.path.split("/")[3]], "application/octet-stream")
        else:
            self.page()

    def page(self) -> None:
        source = self.source
        source.pages += 1
        if source.on_page:
            source.on_page(source.pages)
        query = dict(part.split("=") for part in self.path.split("?")[1].split("&"))
        start, limit = int(query.get("cursor", "0")), int(query["limit"])
        end = start + limit
        following = str(end) if end < len(source.rows) else None
        self.send({"total": len(source.rows), "items": source.rows[start:end], "next_cursor": following})

    def misbehave(self, fault: str) -> bool:
        """Return whether the fault was the whole answer."""
        if fault in ANSWERS:
            self.bytes(*ANSWERS[fault])
        elif fault == "cut":
            self.bytes(b'{"items": []' + b" " * 500, "application/json", cut=True)
        elif fault == "slow":
            self.drip()
        elif fault == "reset":
            self.connection.close()
        elif fault == "forget":
            self.source.tokens = set()
            return False
        return True

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            for _ in range(60):
                self.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            pass
        self.close_connection = True

    def send(self, body: dict[str, Any], status: int = 200, extra: dict[str, str] | None = None) -> None:
        self.bytes(json.dumps(body).encode(), "application/json", status, extra)

    def bytes(
        self,
        body: bytes,
        kind: str,
        status: int = 200,
        extra: dict[str, str] | None = None,
        *,
        cut: bool = False,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True


@dataclass
class Served:
    """A running source."""

    source: Source
    url: str


def serve(source: Source, context: ssl.SSLContext | None = None) -> tuple[ThreadingHTTPServer, Served]:
    handler = type("BoundHandler", (Handler,), {"source": source})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    scheme = "http"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, Served(source, f"{scheme}://127.0.0.1:{server.server_address[1]}")
