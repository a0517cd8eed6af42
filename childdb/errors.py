"""Errors that cross a border: what, where, expected, found, what to do. Never a value from a record."""

from __future__ import annotations

import errno
import os
from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses of every command, as promised in the contract."""

    DONE = 0
    STOPPED = 1
    USAGE = 2
    REFUSED = 3
    ENVIRONMENT = 4


class ChilddbError(Exception):
    """Base of every error a person may see; ``exit_status`` is what the command ends with."""

    exit_status = ExitStatus.STOPPED

    def __init__(self, message_en: str, message_vi: str = "") -> None:
        super().__init__(message_en)
        self.message_en = message_en
        self.message_vi = message_vi or message_en


class UsageError(ChilddbError):
    """The command was called in a way it does not know."""

    exit_status = ExitStatus.USAGE


class ConfigurationError(ChilddbError):
    """A setting is missing, unknown or contradicts another one."""

    exit_status = ExitStatus.USAGE


class InputRefusedError(ChilddbError):
    """An input cannot be accepted; every other input was still worked through."""

    exit_status = ExitStatus.REFUSED


class ContractError(InputRefusedError):
    """Data do not have the columns, types or counts that were agreed."""


class EnvironmentFailedError(ChilddbError):
    """The machine failed (database away, disk full, port in use); repeating the command is safe."""

    exit_status = ExitStatus.ENVIRONMENT


def disk_full() -> EnvironmentFailedError:
    """Return the one sentence for a disk without room."""
    return EnvironmentFailedError(
        "The disk is full. Free space on the disk of the workspace (and of the database), then repeat the same "
        "command; nothing is lost.",
        "Ổ đĩa đã đầy. Hãy giải phóng dung lượng trên ổ đĩa của thư mục làm việc (và của cơ sở dữ liệu) rồi chạy "
        "lại đúng lệnh này; không mất dữ liệu.",
    )


def machine_error(error: OSError) -> EnvironmentFailedError:
    """Return the one sentence for what the machine refused.

    Only the kind of failure is told: names of files given by senders may hold anything.
    """
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full()
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return EnvironmentFailedError(
        f"The machine refused: {reason}. Free space or rights, then repeat the same command; nothing is lost.",
        f"Máy báo lỗi: {reason}. Hãy giải phóng dung lượng hoặc cấp quyền rồi chạy lại đúng lệnh này; không mất dữ liệu.",
    )


class GateStoppedError(ChilddbError):
    """A gate or a check stopped the run; the message names rule, dataset and remedy."""

    exit_status = ExitStatus.STOPPED
