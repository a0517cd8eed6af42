"""Great Expectations, wrapped: the only module that runs it, so that no result can hold a person's value."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from childdb.quality.model import Rule, Suite, Verdict

Connector = Callable[[], psycopg.Connection]

RESULT_FORMAT: dict[str, Any] = {
    "result_format": "BASIC",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
}
"""Counts without values; the suites cannot set another one."""

_VIEW = "rows_of_the_gate"
_NEVER_USED_ADDRESS = "postgresql+psycopg://checker@localhost/warehouse"
"""The engine asks for an address; connections come from the connector, so no password enters its configuration."""


@contextmanager
def _quiet() -> Iterator[None]:
    """The engine logs tracebacks of the database, which quote rows: nothing of it may reach a log."""
    logger = logging.getLogger("great_expectations")
    was_disabled, logger.disabled = logger.disabled, True
    level, manager_level = logger.level, logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(manager_level)
        logger.disabled = was_disabled
        logger.setLevel(level)


def validate(
    suite: Suite, rules: Sequence[Rule], query: str, connector: Connector
) -> tuple[dict[str, Verdict], Mapping[str, Any]]:
    """Return the engine's verdict per rule on one query, and its result document without values."""
    with _quiet(), _sessions(connector, _narrow(query, rules)) as open_session:
        gx = _import_engine()
        batch = _open_batch(gx, open_session)
        result = batch.validate(_gx_suite(gx, suite, rules), result_format=dict(RESULT_FORMAT))
        document: dict[str, Any] = result.to_json_dict()
    verdicts = {}
    for entry in document["results"]:
        verdict = _verdict(entry)
        verdicts[verdict.rule_id] = verdict
        _forget_exception(entry)
    return verdicts, _without_placeholders(document)


def _import_engine() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations  # heavy: three seconds, so only where a gate is judged

    return great_expectations


def _open_batch(gx: Any, open_session: Connector) -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.enable_analytics(False)
    # Over a view the engine reads the columns from the catalogue; over a query it would fetch every row for them.
    source = context.data_sources.add_postgres(
        "warehouse",
        connection_string=_NEVER_USED_ADDRESS,
        kwargs={"creator": open_session},
    )
    asset = source.add_table_asset("rows", table_name=_VIEW)
    return asset.add_batch_definition_whole_table("all").get_batch()


@contextmanager
def _sessions(connector: Connector, query: str) -> Iterator[Connector]:
    """Yield what opens sessions that see the rows of the gate as a view; all of them are closed at the end."""
    with ExitStack() as opened:

        def open_session() -> psycopg.Connection:
            connection = opened.enter_context(closing(connector()))
            # Its rules of uniqueness join rows with their counts: every worker would count all rows for itself,
            # twice the work in all. The other processor counts for the gate meanwhile.
            connection.execute("set max_parallel_workers_per_gather = 0")
            connection.execute(f"create temporary view {_VIEW} as {query}".encode())
            connection.commit()
            return connection

        yield open_session


def _narrow(query: str, rules: Sequence[Rule]) -> str:
    """Return the query with no more columns than the rules name: the engine carries all of them through its joins."""
    if any(rule.type.startswith("expect_table_column") for rule in rules):
        return query
    named = sorted({column for rule in rules for column in rule.columns})
    columns = ", ".join(f'"{column}"' for column in named) or "1 as any_column"
    return f"select {columns} from (\n{query}\n) as looked_at"  # noqa: S608 - text of a suite under version control


def _gx_suite(gx: Any, suite: Suite, rules: Sequence[Rule]) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    made = gx.ExpectationSuite(name=suite.name)
    for rule in rules:
        configuration = ExpectationConfiguration(
            type=rule.type,
            kwargs=dict(rule.kwargs),
            meta={"rule_id": rule.rule_id},
            severity=rule.severity.value,
            description=f"{rule.rule_id}: {rule.what_vi}",
        )
        made.add_expectation(configuration.to_domain_obj())
    return made


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    result = entry.get("result") or {}
    raised = _raised(entry.get("exception_info") or {})
    verdict = Verdict(
        rule_id=str(entry["expectation_config"]["meta"]["rule_id"]),
        success=bool(entry["success"]),
        evaluated=None,
        failed=None,
        error="the rule could not be evaluated" if raised else None,
    )
    if "element_count" not in result or raised:
        return verdict
    # Over no rows the engine says None where it means zero.
    evaluated = (result["element_count"] or 0) - (result.get("missing_count") or 0)
    return replace(verdict, evaluated=int(evaluated), failed=int(result.get("unexpected_count") or 0))


def _raised(information: Mapping[str, Any]) -> bool:
    if "raised_exception" in information:
        return bool(information["raised_exception"])
    return any(isinstance(value, dict) and value.get("raised_exception") for value in information.values())


def _forget_exception(entry: dict[str, Any]) -> None:
    """Database errors quote rows: only the fact that there was one is kept."""
    raised = _raised(entry.get("exception_info") or {})
    text = "The rule could not be evaluated." if raised else None
    entry["exception_info"] = {
        "raised_exception": raised,
        "exception_message": text,
        "exception_traceback": None,
    }


def _without_placeholders(document: dict[str, Any]) -> Mapping[str, Any]:
    """Drop what names hosts or the query; keep what the pages show."""
    kept = {
        key: document[key] for key in ("success", "results", "suite_name", "statistics") if key in document
    }
    kept["meta"] = {
        "great_expectations_version": document.get("meta", {}).get("great_expectations_version", "")
    }
    for entry in kept["results"]:
        entry["expectation_config"]["kwargs"].pop("batch_id", None)
    return kept


def render_document(document: Mapping[str, Any]) -> str:
    """Return the engine's own page for a stored result document, as it comes (with foreign addresses)."""
    with _quiet():
        _import_engine()
        from great_expectations.core.expectation_validation_result import (
            expectationSuiteValidationResultSchema,
        )
        from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
        from great_expectations.render.view import DefaultJinjaPageView

        result = expectationSuiteValidationResultSchema.load(dict(document))
        content = ValidationResultsPageRenderer(run_info_at_end=False).render(result)
        return str(DefaultJinjaPageView().render(content))
