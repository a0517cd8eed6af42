"""Exit status 0 if a part is healthy: `health.py scheduler|dag_processor|triggerer|api|portal`. Needs no package."""

from __future__ import annotations

import json
import sys
import urllib.request

ADDRESSES = {"portal": "http://127.0.0.1:8000/healthz"}
AIRFLOW = "http://airflow-api:8080/api/v2/monitor/health"


def is_healthy(part: str) -> bool:
    """Return whether a part answers, or, for the scheduler's processes, whether its heartbeat is fresh."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(ADDRESSES.get(part, AIRFLOW), timeout=5) as answer:
        if part == "portal":
            return bool(answer.status == 200)
        parts = json.load(answer)
    return bool(parts["metadatabase" if part == "api" else part]["status"] == "healthy")


if __name__ == "__main__":
    try:
        sys.exit(0 if is_healthy(sys.argv[1]) else 1)
    except (OSError, ValueError, KeyError, TypeError):
        sys.exit(1)
