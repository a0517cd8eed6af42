"""The entry software's stand-in over HTTP on the loopback: login, lists, downloads, changed records, faults on demand."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from childdb.errors import EnvironmentFailedError
from childdb.sandbox.loopback import LoopbackServer
from childdb.sandbox.software import PAGED_FAULTS, Software

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Đăng nhập</title></head><body><form method='post'>Phiên làm việc đã hết</form></body></html>"
_ANYWHERE = ("slow", "429", "500", "cut", "html_login", "token_expired", "redirect")
_BODY_LIMIT = 65_536
SLOW_SECONDS = 3.0


class Handler(BaseHTTPRequestHandler):
    """One request; ``software`` is set on the class by ``make_server``."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "nhaplieu-mau/1.0", ""
    software: Software
    slow_seconds = SLOW_SECONDS

    def log_message(self, format: str, *args: object) -> None:
        """Keep silent: a request line may hold anything."""

    def do_POST(self) -> None:
        """Answer a login or plan a fault."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, _BODY_LIMIT))
        try:
            sent = json.loads(body or b"{}")
        except ValueError:
            sent = None
        if not isinstance(sent, dict):
            self._json({"error": "body is not a JSON object"}, HTTPStatus.BAD_REQUEST)
        elif self.path == "/api/auth/login":
            self._login(sent)
        elif self.path == "/sandbox/faults":
            known = self.software.faults.add(str(sent.get("kind")), int(sent.get("times", 1)))
            self._json({"planned": known}, HTTPStatus.OK if known else HTTPStatus.BAD_REQUEST)
        else:
            self._json({"error": "not found"}, HTTPStatus.NOT_FOUND)

    def _login(self, sent: dict[str, Any]) -> None:
        token = self.software.login(sent.get("username"), sent.get("password"))
        if token is None:
            self._json({"error": "wrong account"}, HTTPStatus.UNAUTHORIZED)
        else:
            self._json({"token": token, "expires_in": 3600})

    def do_GET(self) -> None:
        """Answer with data, or with the next planned fault."""
        address = urlsplit(self.path)
        fault = self.software.faults.take(*_ANYWHERE)
        if fault == "slow":
            time.sleep(self.slow_seconds)
        elif fault is not None and fault != "cut" and self._fails(fault):
            return
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not self.software.knows(token):
            self._json({"error": "token missing or expired"}, HTTPStatus.UNAUTHORIZED)
            return
        self._route(address.path, parse_qs(address.query), cut=fault == "cut")

    def _fails(self, fault: str) -> bool:
        """Answer with a fault; True if the answer is given."""
        if fault == "429":
            self._json({"error": "too many requests"}, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "1"})
        elif fault == "500":
            self._json({"error": "internal"}, HTTPStatus.INTERNAL_SERVER_ERROR)
        elif fault == "html_login":
            self._bytes(_LOGIN_PAGE.encode(), "text/html; charset=utf-8")
        elif fault == "redirect":
            self._bytes(b"", "text/plain", HTTPStatus.FOUND, {"Location": "http://192.0.2.1/api/"})
        elif fault == "token_expired":
            self.software.forget_tokens()
            return False
        return True

    def _route(self, path: str, query: dict[str, list[str]], *, cut: bool) -> None:
        if path == "/api/communes":
            self._json({"items": self.software.communes()}, cut=cut)
        elif found := re.fullmatch(r"/api/communes/(\w+)/exports", path):
            self._json({"items": self.software.exports_of(found[1])}, cut=cut)
        elif found := re.fullmatch(r"/api/exports/(\w+)/file", path):
            self._file(found[1], cut=cut)
        elif path == "/api/children":
            self._children(query, cut=cut)
        else:
            self._json({"error": "not found"}, HTTPStatus.NOT_FOUND)

    def _file(self, export_id: str, *, cut: bool) -> None:
        export = self.software.exports.get(export_id)
        if export is None:
            self._json({"error": "not found"}, HTTPStatus.NOT_FOUND)
            return
        kind = _XLSX if export.path.suffix == ".xlsx" else "text/csv"
        self._bytes(export.path.read_bytes(), kind, extra={"ETag": f'"{export.sha256}"'}, cut=cut)

    def _children(self, query: dict[str, list[str]], *, cut: bool) -> None:
        fault = self.software.faults.take(*PAGED_FAULTS)
        cursor = query.get("cursor", [""])[0] or None
        try:
            limit = int(query.get("limit", ["500"])[0])
            page = self.software.children(query.get("changed_since", [""])[0], cursor, limit)
        except ValueError:
            self._json({"error": "cursor or limit is not valid"}, HTTPStatus.BAD_REQUEST)
            return
        if fault == "repeat_page" and cursor:
            page["next_cursor"] = cursor
        elif fault == "total_changes":
            page["total"] += 1
        self._json(page, cut=cut)

    def _json(
        self,
        body: dict[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
        extra: dict[str, str] | None = None,
        *,
        cut: bool = False,
    ) -> None:
        self._bytes(
            json.dumps(body, ensure_ascii=False).encode(),
            "application/json; charset=utf-8",
            status,
            extra,
            cut=cut,
        )

    def _bytes(
        self,
        body: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
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


def make_server(
    data: Path, port: int, *, tls: bool = False, slow_seconds: float = SLOW_SECONDS
) -> LoopbackServer:
    """Return a server bound to the loopback (port 0: any free one); the caller runs and closes it."""
    software = Software(data)
    handler: Callable[..., BaseHTTPRequestHandler] = type(
        "BoundHandler", (Handler,), {"software": software, "slow_seconds": slow_seconds}
    )
    try:
        server = LoopbackServer(("127.0.0.1", port), handler)
    except OSError:
        raise EnvironmentFailedError(
            f"Port {port} of 127.0.0.1 is in use. Stop what uses it or choose another with --port.",
            f"Cổng {port} của 127.0.0.1 đang được dùng. Hãy dừng chương trình đó hoặc chọn cổng khác bằng --port.",
        ) from None
    server.daemon_threads = True
    if tls:
        certificate, key = certificate_files(data / "software")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def software_of(server: LoopbackServer) -> Software:
    """Return the software behind a server, for planning faults without HTTP."""
    software: Software = server.RequestHandlerClass.software  # type: ignore[attr-defined]
    return software


def certificate_files(folder: Path) -> tuple[Path, Path]:
    """Return certificate and key of the stand-in, made at first use; a client trusts it by naming the certificate."""
    certificate_path, key_path = folder / "server.crt", folder / "server.key"
    if not (certificate_path.exists() and key_path.exists()):
        _make_certificate(certificate_path, key_path)
    return certificate_path, key_path


def _make_certificate(certificate_path: Path, key_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1))
        .not_valid_after(dt.datetime(2049, 12, 31))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    key_path.touch(mode=0o600)
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
