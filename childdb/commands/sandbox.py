"""``childdb sandbox``: the synthetic nation, its changes over time, and the entry software's stand-in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from childdb.cli import emit
from childdb.errors import ExitStatus

HELP = "the synthetic nation and the entry software's stand-in"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    generate = commands.add_parser("generate", help="write a synthetic nation with its truth")
    generate.add_argument("--children", type=int, required=True, help="children of the nation, 100 to 30,000,000")
    generate.add_argument("--seed", type=int, default=1, help="same seed, same bytes")
    generate.add_argument("--profile", choices=("none", "default", "hard"), default="default", help="error profile")
    generate.add_argument("--communes", type=int, default=36, help="communes that send workbooks (0: Parquet only)")
    generate.add_argument("--out", type=Path, required=True, help="folder to write to")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Run one sub-command."""
    return _generate(arguments)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} / {total:,}", end="" if done < total else "\n", file=sys.stderr, flush=True)


def _generate(arguments: argparse.Namespace) -> ExitStatus:
    from childdb.sandbox.generate import Order, generate

    order = Order(arguments.children, arguments.seed, arguments.profile, arguments.communes)
    counts = generate(order, arguments.out, _progress)
    lines = [f"{name}: {count:,}" for name, count in counts.items()]
    emit(arguments, {"out": str(arguments.out), **counts}, lines)
    return ExitStatus.DONE
