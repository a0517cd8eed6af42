"""The scheduler's home: one configuration file with its secrets, readable by the owner only."""

from __future__ import annotations

import base64
import configparser
import io
import json
import secrets
import sys
from pathlib import Path

from childdb.database import Database
from childdb.settings import Settings, process_environment
from childdb.workspace import Workspace, write_private

SERVICE_ACCOUNT = "childdb"
CODE_ROOT = Path(__file__).resolve().parents[2]


def airflow_secrets(workspace: Workspace) -> dict[str, str]:
    """Return the scheduler's own keys, made at first use."""

    def make() -> dict[str, str]:
        return {
            "fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "jwt": secrets.token_urlsafe(48),
            "api": secrets.token_urlsafe(48),
        }

    return workspace.secret_document("airflow.json", make)


def account_passwords(settings: Settings) -> dict[str, str]:
    """Return the password of each account of the scheduler: the service's own and each approver's."""
    workspace = Workspace(settings.home)
    names = [SERVICE_ACCOUNT, *settings.approver_names]
    known = workspace.secret_document("accounts.json", dict)
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(18) for name in missing}
        write_private(
            workspace.secrets / "accounts.json", json.dumps(known, indent=1, sort_keys=True).encode()
        )
    return known


def write_airflow_home(settings: Settings, database: Database, port: int) -> None:
    """Write the scheduler's configuration for this start: its database, its port, its accounts."""
    workspace = Workspace(settings.home)
    keys = airflow_secrets(workspace)
    accounts = account_passwords(settings)
    roles = ",".join(f"{name}:{'admin' if name == SERVICE_ACCOUNT else 'user'}" for name in accounts)
    passwords = workspace.secrets / "airflow-accounts.json"
    write_private(passwords, json.dumps(accounts).encode() + b"\n")
    sections = _sections(workspace, keys, port)
    sections["core"] |= {
        "simple_auth_manager_users": roles,
        "simple_auth_manager_passwords_file": str(passwords),
    }
    sections["database"] = {
        "sql_alchemy_conn": database.airflow_url(),
        # The asynchronous engine takes psycopg 3, which is installed anyway.
        "sql_alchemy_conn_async": database.airflow_url().replace("psycopg2", "psycopg"),
        "load_default_connections": "False",
        "sql_alchemy_pool_size": "5",
    }
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_dict(sections)
    text = io.StringIO()
    parser.write(text)
    write_private(workspace.airflow / "airflow.cfg", text.getvalue().encode())


def _sections(workspace: Workspace, keys: dict[str, str], port: int) -> dict[str, dict[str, str]]:
    return {
        "core": {
            "dags_folder": str(CODE_ROOT / "dags"),
            "executor": "LocalExecutor",
            "parallelism": "4",
            "load_examples": "False",
            "dags_are_paused_at_creation": "False",
            "fernet_key": keys["fernet"],
            "execution_api_server_url": f"http://127.0.0.1:{port}/execution/",
            "default_timezone": "Asia/Ho_Chi_Minh",
        },
        "api": {
            "host": "127.0.0.1",
            "port": str(port),
            "base_url": f"http://127.0.0.1:{port}",
            "workers": "1",
            "secret_key": keys["api"],
            "expose_config": "False",
        },
        "api_auth": {"jwt_secret": keys["jwt"], "jwt_expiration_time": "86400"},
        "scheduler": {
            "scheduler_heartbeat_sec": "2",
            "scheduler_idle_sleep_time": "0.5",
            "enable_health_check": "False",
            "task_queued_timeout": "300",
            "scheduler_zombie_task_threshold": "60",
        },
        "dag_processor": {
            "refresh_interval": "600",
            "min_file_process_interval": "600",
            "print_stats_interval": "0",
            "parsing_processes": "1",
        },
        "logging": {
            "base_log_folder": str(workspace.logs / "airflow"),
            "logging_level": "WARNING",
            "colored_console_log": "False",
        },
        "metrics": {"statsd_on": "False"},
        "usage_data_collection": {"enabled": "False"},
        "openlineage": {"disabled": "True"},
    }


def airflow_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the scheduler's processes; it holds no password."""
    workspace = Workspace(settings.home)
    kept = {
        k: v
        for k, v in process_environment().items()
        if not k.startswith(("AIRFLOW_", "PYTHONPATH", "CHILDDB_"))
    }
    return (
        kept
        | settings.as_environment()
        | {
            "AIRFLOW_HOME": str(workspace.airflow),
            "PYTHONPATH": str(CODE_ROOT),
            "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}",
            "GX_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "no_proxy": "*",
        }
    )
