"""The scheduler's interface on loopback: trigger, look, answer a human step."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from childdb.errors import EnvironmentFailedError, UsageError


@dataclass
class AirflowApi:
    """One account's view of the scheduler at ``base`` (loopback only)."""

    base: str
    user: str
    password: str = field(repr=False)
    _token: str = field(default="", repr=False)

    def is_healthy(self) -> bool:
        """Whether scheduler and DAG processor report themselves healthy."""
        try:
            health = self._send("GET", "/api/v2/monitor/health", authorised=False)
        except EnvironmentFailedError:
            return False
        return all(health.get(part, {}).get("status") == "healthy" for part in ("scheduler", "dag_processor"))

    def trigger(self, dag_id: str, run_id: str) -> None:
        """Start one run of a DAG; the same id twice is one run."""
        body: dict[str, Any] = {"dag_run_id": run_id, "logical_date": None, "conf": {}}
        deadline = time.monotonic() + 90
        while True:
            status, _ = self._request("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)
            if status in {200, 409}:
                return
            if status != 404 or time.monotonic() > deadline:
                raise EnvironmentFailedError(
                    f"The scheduler did not start the DAG {dag_id} (status {status})."
                )
            time.sleep(1)

    def runs(self, states: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return the DAG runs in one of the given states, newest first."""
        query = urllib.parse.urlencode({"state": states, "order_by": "-run_after", "limit": 100}, doseq=True)
        found: list[dict[str, Any]] = self._send("GET", f"/api/v2/dags/~/dagRuns?{query}")["dag_runs"]
        return found

    def fail_run(self, dag_id: str, run_id: str) -> None:
        """Mark a DAG run that nobody works on any more as failed."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id, safe='')}"
        self._request("PATCH", path, {"state": "failed"})

    def open_questions(self) -> list[dict[str, Any]]:
        """Return the human steps that wait for an answer."""
        query = urllib.parse.urlencode({"response_received": "false", "limit": 100})
        found: list[dict[str, Any]] = self._send("GET", f"/api/v2/dags/~/dagRuns/~/hitlDetails?{query}")[
            "hitl_details"
        ]
        return [q for q in found if q["task_instance"]["state"] in {"awaiting_input", "deferred"}]

    def answer(self, question: dict[str, Any], option: str) -> None:
        """Answer a human step as this account.

        Raises:
            UsageError: the account may not answer it, or somebody has answered already.
        """
        task = question["task_instance"]
        run = urllib.parse.quote(task["dag_run_id"], safe="")
        path = f"/api/v2/dags/{task['dag_id']}/dagRuns/{run}/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails"
        status, _ = self._request("PATCH", path, {"chosen_options": [option], "params_input": {}})
        if status != 200:
            raise UsageError(
                f"'{self.user}' may not answer this step, or it was answered already (status {status}).",
                f"'{self.user}' không có quyền duyệt bước này, hoặc bước đã được duyệt (mã {status}).",
            )

    def _send(self, method: str, path: str, body: Any = None, authorised: bool = True) -> Any:
        status, answer = self._request(method, path, body, authorised)
        if status >= 400:
            raise EnvironmentFailedError(
                f"The scheduler's interface answered {status} to {method} {path.split('?')[0]}."
            )
        return answer

    def _request(self, method: str, path: str, body: Any = None, authorised: bool = True) -> tuple[int, Any]:
        if authorised and not self._token:
            self._login()
        headers = {"Content-Type": "application/json"}
        if authorised:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}{path}", data=data, method=method, headers=headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                content = response.read()
                return response.status, json.loads(content) if content else {}
        except urllib.error.HTTPError as error:
            return error.code, {}
        except (OSError, ValueError):
            raise EnvironmentFailedError(
                "The scheduler's interface does not answer; repeat the command."
            ) from None

    def _login(self) -> None:
        status, answer = self._request(
            "POST", "/auth/token", {"username": self.user, "password": self.password}, False
        )
        if status not in {200, 201}:
            raise UsageError(
                f"The scheduler does not know the account '{self.user}' or its password is wrong."
            )
        self._token = answer["access_token"]
