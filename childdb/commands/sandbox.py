"""``childdb sandbox``: the synthetic nation, its changes over time, and the entry software's stand-in."""

from __future__ import annotations

import argparse
import secrets
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path

from childdb.cli import emit
from childdb.errors import ExitStatus, UsageError
from childdb.sandbox.software import FAULTS

HELP = "the synthetic nation and the entry software's stand-in"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    generate = commands.add_parser("generate", help="write a synthetic nation with its truth")
    generate.add_argument(
        "--children", type=int, required=True, help="children of the nation, 100 to 30,000,000"
    )
    generate.add_argument("--seed", type=int, default=1, help="same seed, same bytes")
    generate.add_argument(
        "--profile", choices=("none", "default", "hard"), default="default", help="error profile"
    )
    generate.add_argument(
        "--communes", type=int, default=36, help="communes that send workbooks (0: Parquet only)"
    )
    generate.add_argument("--out", type=Path, required=True, help="folder to write to")
    evolve = commands.add_parser(
        "evolve", help="let a sandbox folder's nation live on: newer lists of some communes"
    )
    evolve.add_argument("--data", type=Path, required=True, help="folder that 'generate' wrote")
    evolve.add_argument(
        "--share", type=float, default=0.05, help="share of sending communes that send a newer list"
    )
    evolve.add_argument("--seed", type=int, default=1, help="same seed, same changes")
    evolve.add_argument("--out", type=Path, required=True, help="folder to write to")
    serve = commands.add_parser("serve", help="serve a sandbox folder as the entry software would")
    serve.add_argument("--data", type=Path, required=True, help="folder that 'generate' wrote")
    serve.add_argument("--port", type=int, default=8099, help="port on 127.0.0.1 (0: any free one)")
    serve.add_argument(
        "--tls", action="store_true", help="HTTPS with a certificate of its own (software/server.crt)"
    )
    serve.add_argument(
        "--service",
        choices=("entry", "population"),
        default="entry",
        help="the population database's look-up service instead",
    )
    serve.add_argument("--shape", choices=("standard", "live"), default="live", help="shape of its replies")
    serve.add_argument("--fault", action="append", default=[], metavar="KIND[:TIMES]", help="a fault to show")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Run one sub-command."""
    return {"generate": _generate, "evolve": _evolve, "serve": _serve}[arguments.action](arguments)


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


def _evolve(arguments: argparse.Namespace) -> ExitStatus:
    from childdb.sandbox.evolve import evolve

    counts = evolve(arguments.data, arguments.share, arguments.seed, arguments.out, _progress)
    emit(
        arguments,
        {"out": str(arguments.out), **counts},
        [f"{name}: {count:,}" for name, count in counts.items()],
    )
    return ExitStatus.DONE


def _planned(fault: str) -> tuple[str, int]:
    kind, _, times = fault.partition(":")
    if kind not in FAULTS or not (times or "1").isdigit():
        raise UsageError(
            f"--fault takes one of {', '.join(FAULTS)}, with :TIMES if wanted.",
            f"--fault nhận một trong {', '.join(FAULTS)}.",
        )
    return kind, int(times or "1")


def _serve_population(arguments: argparse.Namespace) -> ExitStatus:
    from childdb.sandbox.population_service import CitizenFile, make_population_server, read_citizens

    token_file: Path = arguments.data / "software" / "population_service.token"
    if not token_file.exists():
        token_file.parent.mkdir(parents=True, exist_ok=True)
        token_file.touch(mode=0o600)
        token_file.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    token = token_file.read_text(encoding="utf-8").strip()
    citizens = CitizenFile(read_citizens(arguments.data), token=token, shape=arguments.shape)
    server = make_population_server(citizens, arguments.port)
    address = f"http://127.0.0.1:{server.server_address[1]}"
    emit(arguments, {"address": address, "token_file": str(token_file)}, [f"{address} (token: {token_file})"])
    return _run(server)


def _serve(arguments: argparse.Namespace) -> ExitStatus:
    if arguments.service == "population":
        return _serve_population(arguments)
    from childdb.sandbox.server import make_server, software_of

    planned = [_planned(fault) for fault in arguments.fault]
    server = make_server(arguments.data, arguments.port, tls=arguments.tls)
    for kind, times in planned:
        software_of(server).faults.add(kind, times)
    address = f"{'https' if arguments.tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    account = arguments.data / "software" / "account.json"
    emit(arguments, {"address": address, "account_file": str(account)}, [f"{address} (account: {account})"])
    return _run(server)


def _run(server: ThreadingHTTPServer) -> ExitStatus:
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return ExitStatus.DONE
