"""Limits a reading process puts on itself: memory, open files, no network, no new programs."""

from __future__ import annotations

import contextlib
import ctypes
import platform
import resource
import socket
import struct
from typing import NoReturn

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LD_ABS_W, _JEQ_K, _RET_K = 0x20, 0x15, 0x06
_ALLOW, _DENY = 0x7FFF0000, 0x00050001  # the call fails with EPERM; the process goes on
# Numbers of socket, connect, bind, sendto, execve, execveat, ptrace on the two machines we run on.
_SYSCALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 44, 59, 322, 101)),
    "aarch64": (0xC00000B7, (198, 203, 200, 206, 221, 281, 117)),
}


def limit_resources(memory_bytes: int, open_files: int) -> None:
    """Set hard limits of this process; the memory limit counts from what it has mapped already."""
    mapped = _status_bytes("VmSize:")
    resident = _status_bytes("VmRSS:")
    bound = mapped + max(memory_bytes - resident, memory_bytes // 4)
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_processor_time(seconds: float) -> None:
    """Allow this process so many more seconds of processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    bound = int(used.ru_utime + used.ru_stime + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (bound if hard < 0 else min(bound, hard), hard))


def _status_bytes(name: str) -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


def cut_network() -> bool:
    """Take the network and new programs from this process for good; return whether the kernel enforces it."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError("a reading process has no network")

    socket.socket = refuse  # type: ignore[assignment,misc]
    socket.create_connection = refuse
    enforced = False
    with contextlib.suppress(OSError, AttributeError):
        enforced = _install_filter()
    return enforced


def _install_filter() -> bool:
    known = _SYSCALLS.get(platform.machine())
    if known is None:
        return False
    architecture, calls = known
    program = _filter_program(architecture, calls)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(header), 0, 0) == 0)


def _filter_program(architecture: int, calls: tuple[int, ...]) -> bytes:
    """Return a filter that denies the calls listed and every call of a foreign architecture."""

    def step(code: int, yes: int, no: int, value: int) -> bytes:
        return struct.pack("HBBI", code, yes, no, value)

    lines = [step(_LD_ABS_W, 0, 0, 4), step(_JEQ_K, 1, 0, architecture), step(_RET_K, 0, 0, _DENY)]
    lines.append(step(_LD_ABS_W, 0, 0, 0))
    lines += [step(_JEQ_K, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    lines += [step(_RET_K, 0, 0, _ALLOW), step(_RET_K, 0, 0, _DENY)]
    return b"".join(lines)
