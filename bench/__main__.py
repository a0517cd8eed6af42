"""``make bench``: every benchmark in one run, one after the other; ratios and figures go to bench/results.json."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results.json"


def commands(scratch: Path) -> dict[str, list[str]]:
    """Return what is run, by name; sizes are those of docs/benchmarks.md that fit an hour on two cores."""
    return {
        "ingestion": ["-m", "bench.ingestion", "--files", "40", "--pandas-files", "4", "--json"],
        "cleaning": ["-m", "bench.cleaning", "--rows", "100000", "400000", "--json"],
        "gates": ["-m", "bench.gates", "--rows", "1000000", "--json"],
        "worklists": ["-m", "bench.worklists", "--communes", "332", "--items", "100000", "--json"],
        "warehouse": ["-m", "bench.warehouse", "--children", "1000000", "--plain", "--changed", "100000"],
        "identity": [
            *("-m", "bench.identity_national", "--children", "1000000"),
            *("--folder", str(scratch), "--memory", "6GB"),
        ],
    }


def main() -> int:
    """Run every benchmark, print each result and keep them all."""
    results: dict[str, object] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    }
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, words in commands(Path(folder)).items():
            print(f"bench: {name} ...", file=sys.stderr, flush=True)
            done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, check=False)
            failed += done.returncode != 0
            results[name] = json.loads(done.stdout) if done.returncode == 0 else {"failed": done.returncode}
            print(json.dumps({name: results[name]}, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
