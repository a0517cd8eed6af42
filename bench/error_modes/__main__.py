"""Prints how every mode ended."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from bench.error_modes.scoring import MODES, measure


def main() -> None:
    """Print how every mode ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--modes", nargs="*", default=MODES)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    start = time.process_time()
    answer: dict[str, Any] = {}
    for mode in arguments.modes:
        answer[mode] = measure(mode, arguments.cases, arguments.seed).as_json()
        if not arguments.json:
            print(mode, json.dumps(answer[mode], ensure_ascii=False), flush=True)
    if arguments.json:
        seconds = round(time.process_time() - start, 1)
        print(json.dumps({"modes": answer, "processor_seconds": seconds}, ensure_ascii=False))


if __name__ == "__main__":
    main()
