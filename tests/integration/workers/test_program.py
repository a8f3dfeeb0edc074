"""`python -m omni_workers`, as it is started in production."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omni_core import OPERATOR, CreateKey, CreateTenant, Month, Omni, Principal, Settings
from omni_core.domain.jobs.api import Job
from tests.integration.workers.conftest import WITHIN_S, eventually

LIFE = ["worker.ready", "job.ended", "worker.stopped"]
REACTIONS = ["reactions.ready", "reactions.handled", "reactions.stopped"]
REACTION = "jobs.cancel_for_revoked_key"
pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def start(home: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "omni_workers"],
        env={**os.environ, "OMNI_HOME": str(home), **environment},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


async def test_it_closes_a_month_and_stops_when_told_to(fresh_database_url: str, tmp_path: Path):
    settings = Settings(home=tmp_path, database_url=fresh_database_url)
    with start(tmp_path, DATABASE_URL=fresh_database_url) as worker:
        try:
            async with Omni.open(settings) as omni:
                tenant = await omni.tenants.create(OPERATOR, CreateTenant("demo", "Demo"))
                operator = omni.operator(tenant.id)
                closing = {"month": str(Month.of(datetime.now(UTC))), "early": True, "empty": True}
                job = await omni.jobs.submit(operator, "billing.close", closing, idempotency_key="closing")

                async def over() -> Job | None:
                    now = await omni.jobs.get(operator, job.id)
                    return now if now.is_over else None

                done = await eventually(over)
                assert done.error is None
                assert done.result is not None
                assert done.result["number"] == "INV-000001"
                await _revoke_a_key(omni, operator)
            worker.send_signal(signal.SIGTERM)
            output, _ = await asyncio.to_thread(worker.communicate, None, WITHIN_S)
        finally:
            worker.kill()
    assert worker.returncode == 0
    events = [json.loads(line)["event"] for line in output.splitlines()]
    assert [event for event in events if event in LIFE] == LIFE
    assert list(dict.fromkeys(event for event in events if event in REACTIONS)) == REACTIONS


async def _revoke_a_key(omni: Omni, operator: Principal) -> None:
    """Revoke a key, and wait until the worker has reacted to it."""
    made = await omni.keys.create(operator, CreateKey("short-lived"))
    await omni.keys.revoke(operator, made.key.id)

    async def handled() -> bool | None:
        states = await omni.events.subscriptions(operator)
        return next((True for state in states if state.name == REACTION and state.handled == 1), None)

    assert await eventually(handled)


async def test_a_bad_setting_is_told_in_a_line(tmp_path: Path):
    with start(tmp_path, OMNI_WORKER_CONCURRENCY="many") as worker:
        output, _ = await asyncio.to_thread(worker.communicate, None, WITHIN_S)
    assert worker.returncode == 78
    assert b"OMNI_WORKER_CONCURRENCY" in output
    assert output.count(b"\n") == 1
