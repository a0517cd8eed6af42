"""Every environment variable childdb knows, read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from childdb.errors import ConfigurationError

PREFIX = "CHILDDB_"


@dataclass(frozen=True)
class Settings:
    """The configuration of one workspace; each field is the variable ``CHILDDB_<FIELD>``."""

    home: Path = Path("var")
    """The workspace folder."""
    database_url: str | None = None
    """A PostgreSQL server (15 or newer) to use in place of the embedded one."""
    database_account: str = "nobody"
    """Unprivileged account that runs the embedded server when childdb runs as root."""
    system_dir: Path = Path("/var/lib/childdb")
    """Where the embedded server keeps binaries and data when childdb runs as root."""
    treem_url: str | None = None
    """Base address of the child-information software; none means the drop folder only."""
    treem_username: str | None = None
    """Account of the pull on the child-information software."""
    treem_password_file: Path | None = None
    """File that holds the password of that account; readable by its owner only."""
    treem_ca_file: Path | None = None
    """Certificate authority of that server, where it is not a public one."""
    sftp_host: str | None = None
    """SFTP server that senders put files on; none means there is none."""
    sftp_port: int = 22
    """Port of that server."""
    sftp_username: str | None = None
    """Account on that server."""
    sftp_key_file: Path | None = None
    """Private key of that account; readable by its owner only."""
    sftp_known_hosts_file: Path | None = None
    """File with that server's own key: another key is not trusted."""
    sftp_folder: str = "."
    """Folder on that server, laid out as the drop folder is."""
    landing_url: str | None = None
    """S3-compatible store for landed bytes, ``s3://bucket/prefix?endpoint=https://host``; none means the workspace's disk."""
    landing_access_key_file: Path | None = None
    """File with the store's access key and secret key, one a line; readable by its owner only."""
    population_service_url: str | None = None
    """Base address of the population database's look-up service; none means lists on paper only."""
    population_service_unit: str | None = None
    """Electronic code of the agency that asks (MaDonVi)."""
    population_service_officer: str | None = None
    """Code of the officer who asks (MaCanBo)."""
    population_service_procedure: str | None = None
    """Code of the administrative procedure asked for (MaDVC)."""
    population_service_token_file: Path | None = None
    """File that holds the token of that service; readable by its owner only."""
    population_service_ca_file: Path | None = None
    """Certificate authority of that service, where it is not a public one."""
    population_service_name_form: str = "spaced"
    """How names are sent there: `spaced` or `joined`."""
    population_service_daily_quota: int = 1000
    """Look-ups a day that the agreement with the service allows."""
    portal_port: int | None = None
    """Port of the portal on loopback; a free one is chosen when unset."""
    scheduler_port: int | None = None
    """Port of the scheduler's web page and task interface on loopback; a free one when unset."""
    approvers: str = ""
    """Names of the people who may approve a release, separated by commas."""
    memory: str = "4GB"
    """Memory the matcher may use before it spills to disk."""
    threads: int = 2
    """Threads the matcher and the cleaner may use."""
    scheduled: bool = False
    """Whether the scheduler fetches datasets by the timetable of the registry, besides ``childdb run``."""
    dbt_executable: Path | None = None
    """A dbt of another environment, where one is kept apart."""

    @property
    def approver_names(self) -> tuple[str, ...]:
        """Names of the approvers, in the order given."""
        return tuple(name.strip() for name in self.approvers.split(",") if name.strip())

    def as_environment(self) -> dict[str, str]:
        """Return the variables that give another process these settings."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        texts = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in values.items()
        }
        return {f"{PREFIX}{name.upper()}": texts[name] for name, value in values.items() if value is not None}


def _convert(name: str, kind: str, text: str) -> Any:
    if kind.startswith("int"):
        if not text.isascii() or not text.isdigit():
            raise ValueError(f"{PREFIX}{name.upper()} must be a whole number")
        return int(text)
    if kind == "bool":
        if text not in {"true", "false"}:
            raise ValueError(f"{PREFIX}{name.upper()} must be true or false")
        return text == "true"
    return Path(text) if kind.startswith("Path") else text


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process.

    Raises:
        ConfigurationError: naming every unknown or malformed variable at once.
    """
    source = os.environ if environment is None else environment
    kinds = {field.name: str(field.type) for field in fields(Settings)}
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for variable in sorted(name for name in source if name.startswith(PREFIX)):
        name = variable.removeprefix(PREFIX).lower()
        if name not in kinds:
            mistakes.append(f"{variable} is not a setting (docs/architecture.md lists them)")
        elif source[variable] != "":
            try:
                values[name] = _convert(name, kinds[name], source[variable])
            except ValueError as error:
                mistakes.append(str(error))
    if mistakes:
        raise ConfigurationError("Configuration: " + "; ".join(mistakes) + ".")
    settings = Settings(**values)
    return _replace_home(settings)


def _replace_home(settings: Settings) -> Settings:
    values = {field.name: getattr(settings, field.name) for field in fields(Settings)}
    values["home"] = settings.home.expanduser().absolute()
    return Settings(**values)


def process_environment() -> dict[str, str]:
    """Return a copy of this process's environment, for the programs that childdb starts."""
    return dict(os.environ)
