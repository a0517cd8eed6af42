"""Serve the portal: ``python -m childdb.portal --host 127.0.0.1 --port 8080``."""

from __future__ import annotations

import argparse
import sys

import uvicorn

from childdb.errors import ChilddbError
from childdb.portal.app import create_app
from childdb.settings import load_settings


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m childdb.portal", description="Serve the portal of a workspace."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    given = parser.parse_args(arguments)
    try:
        settings = load_settings()
        app = create_app(settings)
    except ChilddbError as error:
        print(f"childdb: {error.message_en}", file=sys.stderr)
        return int(error.exit_status)
    port = given.port or settings.portal_port or 8080
    # No access log: addresses that people ask for are not collected.
    uvicorn.run(app, host=given.host, port=port, access_log=False, log_level="warning", server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
