"""The HTTP server both stand-ins run on: loopback only, and a client that hangs up is no fault of the server."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    """A threading server that says nothing about clients that left in the middle of an answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a connection that the other side closed; tell of everything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)
