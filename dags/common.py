"""What every DAG of childdb shares: owner, retries, zone, and the assets that connect them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import Asset, CronDataIntervalTimetable

from childdb.flow.schedule import cron_of, is_scheduled

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
START = datetime(2026, 1, 1, tzinfo=ZONE)
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "childdb",
    "retries": 1,
    "retry_delay": timedelta(seconds=5),
}

# A run that waits for a person, or was left by a killed process, must not keep the next one from starting;
# steps lock what they write, and one workspace drives one run at a time.
MAX_RUNS = 8

CHILDREN = Asset("clean://treem__children")
PERSONS = Asset("clean://population__persons")
IDENTITY = Asset("identity://children")
INDICATORS = Asset("marts://indicators")
RELEASE = Asset("release://indicators")


def timetable_of(dataset: str) -> CronDataIntervalTimetable | None:
    """Return when a dataset is fetched; nothing where runs are started by ``childdb run`` only."""
    cron = cron_of(dataset)
    return None if cron is None else CronDataIntervalTimetable(cron, timezone="Asia/Ho_Chi_Minh")


def timetable_at(cron: str) -> CronDataIntervalTimetable | None:
    """Return a timetable where the scheduler works by itself; nothing where people start everything."""
    return CronDataIntervalTimetable(cron, timezone="Asia/Ho_Chi_Minh") if is_scheduled() else None
