"""kill -9 in the middle of taking and sending: nothing acknowledged is lost, and what comes twice shares its id."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from sqlmodel import select

from actors.delivery.ports import DELIVERED
from api.database import Database
from api.tables import Delivery
from tests.actors.delivery.servers import Request, raw_receiver
from tests.actors.delivery.support import register, until

COUNT = 120
ROOT = Path(__file__).parents[3]


async def start(url: str, folder: Path, first: int) -> asyncio.subprocess.Process:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "tests.actors.delivery.victim", url, str(folder), str(COUNT), str(first)]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT, env=environment)


async def test_nothing_is_lost_by_kill_9_and_duplicates_share_their_id(both: str, tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    gate = asyncio.Event()

    async def behave(request: Request) -> None:
        await gate.wait()
        await request.answer(200)

    async with raw_receiver(behave) as receiver:
        register(both, receiver.url)
        # Killed while POSTs are under way and nothing has been answered; then while everything flows, at three other points.
        for kill_at, hold in ((10, True), (40, False), (60, False), (90, False)):
            gate.clear() if hold else gate.set()
            process = await start(both, tmp_path, max(acknowledged, default=-1) + 1)
            while len(acknowledged) < kill_at:
                acknowledged.add(int(await asyncio.wait_for(process.stdout.readline(), 60)))
            if hold:
                await until(lambda: bool(receiver.requests))
            process.send_signal(signal.SIGKILL)
            rest = await process.stdout.read()  # what it had acknowledged before it died
            acknowledged |= {int(line) for line in rest.split()}
            assert await process.wait() == -signal.SIGKILL
        gate.set()
        process = await start(both, tmp_path, max(acknowledged) + 1)
        told, _ = await asyncio.wait_for(process.communicate(b""), 60)
        assert told.split()[-1] == b"done"
        assert process.returncode == 0
    ids: dict[tuple[str, str], set[str]] = {}
    for request in receiver.requests:
        body = json.loads(request.body)
        ids.setdefault((body["taskNum"], body["snapshotTime"]), set()).add(request.headers["webhook-id"])
    assert len(ids) == 2 * COUNT, "every fact arrived"
    assert all(len(names) == 1 for names in ids.values()), "under one id, however often"
    assert len(receiver.requests) > 2 * COUNT, "the first kill must have cut off POSTs that were sent again"
    with Database(both).session() as session:
        assert set(session.scalars(select(Delivery.state)).all()) == {DELIVERED}
