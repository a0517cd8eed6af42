"""The one door to the network: deadlines, bounded retries, host list, verified TLS, bounded bodies, strict JSON.

There is no switch that turns the checking of certificates off. Plain HTTP is spoken to this very machine only.
"""

from __future__ import annotations

import email.utils
import hashlib
import ipaddress
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from childdb.errors import ChilddbError, ConfigurationError, ExitStatus
from childdb.reading.strict_json import StrictJsonError, parse_strict

_STEP = 1 << 16
_Result = TypeVar("_Result")
_TRANSIENT = frozenset({408, 500, 502, 503, 504})


class PullStoppedError(ChilddbError):
    """A pull stopped whole, with a reason code; what was complete before is kept, the next run resumes."""

    def __init__(self, code: str, message_en: str, message_vi: str = "") -> None:
        super().__init__(f"{code}: {message_en}", f"{code}: {message_vi or message_en}")
        self.code = code
        self.exit_status = ExitStatus.ENVIRONMENT if code in _AGAIN else ExitStatus.STOPPED


_AGAIN = frozenset({"API-TRANSIENT", "API-THROTTLE", "API-TRUNCATED", "API-AUTH"})


class SessionLostError(PullStoppedError):
    """The server no longer knows us; one new login may follow."""


@dataclass(frozen=True, slots=True)
class HttpPolicy:
    """How patient and how strict the door is; all times in seconds."""

    base_url: str
    ca_file: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 20.0
    page_deadline: float = 60.0
    file_deadline: float = 900.0
    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    retry_after_ceiling: float = 300.0
    largest_page: int = 16 * 1024**2
    largest_file: int = 200 * 1024**2
    requests_per_second: float = 20.0
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        """Refuse addresses that could not be trusted whatever answers there."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ConfigurationError("The address of a source has to begin with https:// and name a host.")
        if parts.username or parts.password or parts.query:
            raise ConfigurationError(
                "The address of a source holds no user, password or query; use the settings for them."
            )
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ConfigurationError(
                "Plain http is spoken to this machine only; use https for every other host."
            )

    @property
    def hosts(self) -> frozenset[str]:
        """Return the hosts we talk to."""
        return self.allowed_hosts or frozenset({urlsplit(self.base_url).hostname or ""})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance as arguments, so that tests neither wait nor guess."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[], float] = random.random


class HttpClient:
    """Requests to one source; tokens travel in headers only and never reach a message."""

    def __init__(self, policy: HttpPolicy, clock: Clock | None = None) -> None:
        self.policy = policy
        self.clock = clock or Clock()
        self._session: requests.Session | None = None
        self._next_at = 0.0
        self.token: str | None = None

    def get_json(self, path: str, query: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        """Return one page as an object; numbers stay text, as the source wrote them."""
        return self._repeat(lambda: self._json("GET", path, query=query))

    def post_json(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a posted object."""
        return self._repeat(lambda: self._json("POST", path, body=body))

    def download(self, path: str, target: Path, *, content_types: tuple[str, ...]) -> tuple[str, int]:
        """Write a file to ``target`` and return (sha256, size); a cut body is fetched again from its start."""
        return self._repeat(lambda: self._download(path, target, content_types))

    def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    # -- one attempt -------------------------------------------------------------------------------

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        response = self._send(method, path, query=query, body=body)
        with response:
            kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
            data = b"".join(self._body(response, self.policy.largest_page, self.policy.page_deadline))
        if kind == "text/html" or data.lstrip()[:1] == b"<":
            raise SessionLostError("API-LOGIN", "the source answered with a web page instead of data")
        if kind != "application/json":
            raise PullStoppedError("API-SCHEMA", "the source answered with another content type than JSON")
        return _object(data)

    def _download(self, path: str, target: Path, content_types: tuple[str, ...]) -> tuple[str, int]:
        response = self._send("GET", path)
        digest, size = hashlib.sha256(), 0
        with response:
            kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
            if kind == "text/html":
                raise SessionLostError("API-LOGIN", "the source answered with a web page instead of a file")
            if kind not in content_types:
                raise PullStoppedError(
                    "API-SCHEMA", "the source answered with another content type than promised"
                )
            with target.open("wb") as sink:
                for chunk in self._body(response, self.policy.largest_file, self.policy.file_deadline):
                    digest.update(chunk)
                    sink.write(chunk)
                    size += len(chunk)
        return digest.hexdigest(), size

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        url = self._url(path)
        headers = {"Accept": "application/json, */*;q=0.5", "Accept-Encoding": "identity, gzip"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self._keep_pace()
        for _ in range(3):
            try:
                response = self._open().request(
                    method, url, params=query, json=body, headers=headers, stream=True, allow_redirects=False,
                    timeout=(self.policy.connect_timeout, self.policy.read_timeout),
                )  # fmt: skip
            except requests.exceptions.SSLError:
                raise PullStoppedError(
                    "API-TLS", "the source's certificate or protocol is not trusted"
                ) from None
            except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
                raise _TransientError("API-TRANSIENT") from None
            if not response.is_redirect:
                return self._checked(response)
            url, query = self._redirected(response, url, method), None
        raise PullStoppedError("API-REDIRECT", "the source redirects in a circle")

    def _redirected(self, response: requests.Response, url: str, method: str) -> str:
        with response:
            target = urljoin(url, response.headers.get("Location", ""))
        here, there = urlsplit(url), urlsplit(target)
        if method != "GET" or (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise PullStoppedError(
                "API-REDIRECT", "the source redirects to another host or protocol; it was not followed"
            )
        return target

    def _url(self, path: str) -> str:
        url = urljoin(self.policy.base_url.rstrip("/") + "/", path.lstrip("/"))
        if urlsplit(url).hostname not in self.policy.hosts:
            raise PullStoppedError("API-REDIRECT", "an address outside the list of hosts was asked for")
        return url

    def _open(self) -> requests.Session:
        if self._session is None:
            session = requests.Session()
            session.trust_env = False  # no proxy, no .netrc, no certificate bundle from the environment
            session.verify = str(self.policy.ca_file) if self.policy.ca_file else True
            self._session = session
        return self._session

    def _keep_pace(self) -> None:
        wait = self._next_at - self.clock.now()
        if wait > 0:
            self.clock.sleep(wait)
        self._next_at = self.clock.now() + 1 / self.policy.requests_per_second

    def _checked(self, response: requests.Response) -> requests.Response:
        status = response.status_code
        if status == 200:
            return response
        retry_after = response.headers.get("Retry-After")
        response.close()
        if status in (401, 403):
            raise SessionLostError("API-AUTH", f"the source answered {status}")
        if status == 429:
            raise _TransientError("API-THROTTLE", self._told_wait(retry_after))
        if status in _TRANSIENT:
            raise _TransientError("API-TRANSIENT", self._told_wait(retry_after))
        raise PullStoppedError("API-SCHEMA", f"the source answered {status}")

    def _told_wait(self, text: str | None) -> float | None:
        """Return the seconds of a Retry-After header; a wait beyond the ceiling stops the pull."""
        if text is None:
            return None
        if text.strip().isdigit():
            seconds = float(text)
        else:
            moment = email.utils.parsedate_to_datetime(text) if _is_date(text) else None
            if moment is None:
                return None
            seconds = max(0.0, (moment - self.clock.wall()).total_seconds())
        if seconds > self.policy.retry_after_ceiling:
            raise PullStoppedError(
                "API-THROTTLE", "the source asks for a longer wait than we grant; run again later"
            )
        return seconds

    def _body(self, response: requests.Response, largest: int, seconds: float) -> Iterator[bytes]:
        """Yield a body within its size and time; one cut short is no body, one that inflates past the limit neither."""
        packed = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packed not in ("identity", "gzip", ""):
            raise PullStoppedError("API-SCHEMA", "the source packs its answer in a way we do not accept")
        arriving = self._raw(response, largest, self.clock.now() + seconds)
        total = 0
        for chunk in _inflated(arriving) if packed == "gzip" else arriving:
            total += len(chunk)
            if total > largest:
                raise PullStoppedError("API-BOMB", "the source sent more than the limit")
            yield chunk

    def _raw(self, response: requests.Response, largest: int, deadline: float) -> Iterator[bytes]:
        """Yield the bytes on the wire; their number has to be the one announced."""
        total = 0
        try:
            while chunk := response.raw.read1(_STEP, decode_content=False):
                total += len(chunk)
                if total > largest:
                    raise PullStoppedError("API-BOMB", "the source sent more than the limit")
                if self.clock.now() > deadline:
                    raise _TransientError("API-TRANSIENT")
                yield chunk
        except urllib3.exceptions.SSLError:
            raise PullStoppedError("API-TLS", "the encrypted connection broke its rules") from None
        except (urllib3.exceptions.HTTPError, OSError):
            raise _TransientError("API-TRUNCATED") from None
        declared = response.headers.get("Content-Length", "")
        if declared.isdigit() and int(declared) != total:
            raise _TransientError("API-TRUNCATED")

    # -- repeated attempts -------------------------------------------------------------------------

    def _repeat(self, attempt: Callable[[], _Result]) -> _Result:
        """Return the result of an attempt, repeated with growing waits while the failure is transient."""
        for number in range(1, self.policy.attempts + 1):
            try:
                return attempt()
            except _TransientError as failure:
                if number == self.policy.attempts:
                    raise PullStoppedError(
                        failure.code,
                        f"the source failed {number} times in a row; run again later, the pull resumes",
                    ) from None
                self.clock.sleep(self._wait(number, failure.wait))
        raise AssertionError("unreachable")

    def _wait(self, number: int, told: float | None) -> float:
        grown = min(self.policy.longest_wait, self.policy.first_wait * 2 ** (number - 1))
        return float((told or 0.0) + grown * (0.5 + 0.5 * self.clock.jitter()))


class _TransientError(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, code: str, wait: float | None = None) -> None:
        super().__init__(code)
        self.code, self.wait = code, wait


def _inflated(arriving: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a gzip stream inflated in small steps; the stream has to end properly."""
    engine = zlib.decompressobj(31)
    try:
        for packed in arriving:
            rest = packed
            while rest and not engine.eof:
                yield engine.decompress(rest, _STEP)
                rest = engine.unconsumed_tail
    except zlib.error:
        raise _TransientError("API-TRUNCATED") from None
    if not engine.eof:
        raise _TransientError("API-TRUNCATED")


def _is_date(text: str) -> bool:
    try:
        return email.utils.parsedate_to_datetime(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = parse_strict(data.decode("utf-8"))
    except StrictJsonError as error:
        raise PullStoppedError(
            "API-JSON", f"the source sent JSON that is refused ({error.problem})"
        ) from None
    except UnicodeDecodeError:
        raise PullStoppedError("API-JSON", "the source sent text that is not UTF-8") from None
    if not isinstance(value, dict) or "error" in value:
        raise PullStoppedError("API-SCHEMA", "the source sent no object of the agreed shape")
    return value
