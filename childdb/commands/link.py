"""``childdb link``: why a row was tied to a person, how good the links are, who is missed more often, the model for other engines."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from childdb.cli import emit
from childdb.errors import ExitStatus
from childdb.identity.bias import measure_bias, write_bias
from childdb.identity.clerical import draw_sample, estimate
from childdb.identity.explanation import waterfall
from childdb.identity.replay import Replay, replay
from childdb.identity.splink_model import export_model

HELP = "explain links, sample them for people to check, report who is missed more often"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per act."""
    acts = parser.add_subparsers(dest="act", required=True)
    explain = acts.add_parser(
        "explain", help="compute one decision anew and say why, without any value of a child"
    )
    explain.add_argument("record", help="the row's id, as in links.parquet")
    explain.add_argument("--store", type=Path, required=True, help="store kept by 'childdb match --keep'")
    explain.add_argument("--rules", type=Path, help="the rules file of the store, if it was another one")
    explain.add_argument(
        "--picture", type=Path, metavar="FILE.svg", help="write the waterfall picture of the link"
    )
    sample = acts.add_parser("sample", help="draw links by strata for people to check")
    sample.add_argument("--links", type=Path, required=True)
    sample.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    sample.add_argument("--per-stratum", type=int, default=50, metavar="N")
    sample.add_argument("--seed", type=int, default=1, metavar="S")
    judged = acts.add_parser("estimate", help="precision with intervals out of a sample people have answered")
    judged.add_argument("--sample", type=Path, required=True, metavar="FILE.csv")
    bias = acts.add_parser("bias", help="share of accepted links by group, as data")
    bias.add_argument("--links", type=Path, required=True)
    bias.add_argument("--register", type=Path, required=True)
    bias.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    export = acts.add_parser("export", help="write a learnt model as a Splink model")
    export.add_argument("--model", type=Path, required=True)
    export.add_argument("--rules", type=Path)
    export.add_argument("--out", type=Path, required=True, metavar="FILE.json")


def execute(arguments: argparse.Namespace) -> ExitStatus:
    """Do the act asked for."""
    acts = {"explain": _explain, "sample": _sample, "estimate": _estimate, "bias": _bias, "export": _export}
    return acts[arguments.act](arguments)


def _explain(arguments: argparse.Namespace) -> ExitStatus:
    found = replay(arguments.store, arguments.record, rules=arguments.rules)
    if arguments.picture:
        picture = waterfall(found.evidence, found.match_probability)
        arguments.picture.write_text(picture, encoding="utf-8")
    emit(arguments, found.document(), _explained(found))
    return ExitStatus.DONE if found.same_bits else ExitStatus.STOPPED


def _explained(found: Replay) -> list[str]:
    weights = [f"  {name:<14} {bits:+8.3f} bit" for name, bits in found.evidence.items()]
    others = [
        f"  {item.person_id}  {item.match_weight:+.3f} bit  p={item.chance:.6f}  "
        + " ".join(f"{name}={level}" for name, level in item.levels.items() if level != "missing")
        for item in found.candidates
    ]
    same = "giống từng bit / the same bits" if found.same_bits else "KHÁC / NOT the same bits"
    return [
        f"{found.record_id}: {found.decision} ({found.rule_id}), p={found.match_probability}",
        *weights,
        "Các người được xem xét / candidates:",
        *others,
        f"Tính lại / computed again: {same}; mô hình / model {found.model}",
    ]


def _sample(arguments: argparse.Namespace) -> ExitStatus:
    rows = draw_sample(arguments.links, arguments.out, per_stratum=arguments.per_stratum, seed=arguments.seed)
    emit(arguments, {"rows": rows}, [f"{rows} cặp cần xem / links to check: {arguments.out}"])
    return ExitStatus.DONE


def _estimate(arguments: argparse.Namespace) -> ExitStatus:
    found = estimate(arguments.sample)
    whole = found.precision
    lines = [f"Độ chính xác / precision: {whole.share:.5f} ({whole.low:.5f} – {whole.high:.5f})"]
    lines += [
        f"  {name}: {item.precision.share:.4f} ({item.precision.low:.4f} – {item.precision.high:.4f}), {item.looked_at}/{item.rows}"
        for name, item in found.strata.items()
    ]
    emit(arguments, asdict(found), lines)
    return ExitStatus.DONE


def _bias(arguments: argparse.Namespace) -> ExitStatus:
    rows = measure_bias(arguments.links, arguments.register)
    write_bias(rows, arguments.out)
    lines = [
        f"{row.group_by}={row.group}: {row.accepted_share:.4f} ({row.accepted_low:.4f} – {row.accepted_high:.4f}) × {row.ratio_to_all:.3f}"
        for row in rows
        if row.accepted_high < rows[0].accepted_low or row.group_by == "all"
    ]
    emit(arguments, {"groups": [asdict(row) for row in rows]}, lines)
    return ExitStatus.DONE


def _export(arguments: argparse.Namespace) -> ExitStatus:
    levels = export_model(arguments.model, arguments.out, rules=arguments.rules)
    emit(arguments, {"levels": levels}, [f"{levels} mức so sánh / levels: {arguments.out}"])
    return ExitStatus.DONE
