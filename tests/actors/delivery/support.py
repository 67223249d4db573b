"""A real outbox, real receivers, no Ray."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlmodel import select

from actors.archive import FolderArchive
from actors.delivery.breaker import BreakerConfig
from actors.delivery.policy import DeliveryPolicy
from actors.delivery.sender import Sender
from actors.delivery.worker import WorkerConfig
from actors.outbound import LOOPBACK, OutboundPolicy
from actors.ports import FactEnvelope
from actors.pusher import Pusher, PusherConfig
from api.database import Database
from api.outbox import SqlOutboxStore
from api.tables import Delivery, Interface
from api.wire.encode import WireEncoder
from tests.actors.delivery.servers import Request
from tests.api.test_wire import envelope, passage

HERE = OutboundPolicy(allowed=LOOPBACK)
FAST = DeliveryPolicy(schedule_s=(0.05,))
LATER = DeliveryPolicy(schedule_s=(30.0,))
OPEN_NEVER = BreakerConfig(least=10**9)


def register(url: str, receiver: str, /, **changes: object) -> int:
    """An interface of type 21 on trigger, changed as asked; its id."""
    values: dict = {"name": "r", "business_type": 21, "trigger_condition": 2, "url": receiver, "push_response": 1}
    row = Interface(**(values | changes))
    with Database(url).session() as session:
        session.add(row)
        session.commit()
        return row.id or 0


def edit(url: str, interface_id: int, /, **changes: object) -> None:
    """Change columns of an interface."""
    with Database(url).session() as session:
        row = session.get(Interface, interface_id)
        for name, value in changes.items():
            setattr(row, name, value)
        session.add(row)
        session.commit()


def pusher(url: str, folder: Path, store: object = None, policy: DeliveryPolicy = FAST, **changes: object) -> Pusher:
    """A pusher that looks often. Keyword arguments go to WorkerConfig, those it does not know to PusherConfig."""
    known = WorkerConfig.__dataclass_fields__
    worker = WorkerConfig(**({"idle_s": 0.02, "drain_s": 2.0} | {k: v for k, v in changes.items() if k in known}))
    rest = {k: v for k, v in changes.items() if k not in known}
    clock, on_superseded = rest.pop("clock", time.time), rest.pop("on_superseded", None)
    config = PusherConfig(worker=worker, policy=policy, backoff_s=0.02, **rest)
    sender = Sender(FolderArchive(folder / "archive"), timeout_s=config.timeout_s, outbound=HERE)
    return Pusher(0, 1, store or SqlOutboxStore(url), WireEncoder(), sender, config, clock=clock, on_superseded=on_superseded)


def facts(count: int, task_num: str = "100", first: int = 0) -> list[FactEnvelope]:
    """Passages of one task, one second apart; their plate of seconds tells their order."""
    made = []
    for i in range(first, first + count):
        whole = envelope(passage(time_s=1_514_779_758.0 + i, road_num=1 + i % 2))
        made.append(replace(whole, fact_id=f"{task_num}-{i}", task=replace(whole.task, task_num=task_num)))
    return made


async def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for a condition; fails when it does not come true."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.01)


@contextmanager
def closed_port() -> Iterator[str]:
    """An address at which nobody listens, and nobody will: the port is bound but not listening."""
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}/push"


async def ok(request: Request) -> None:
    """A receiver that takes everything."""
    await request.answer(200)


def moment(request: Request) -> str:
    """What tells the facts of ``support.facts`` apart."""
    return json.loads(request.body)["snapshotTime"]


def rows(url: str) -> list[Delivery]:
    """The outbox, in order."""
    with Database(url).session() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.sequence)).all())


def states(url: str) -> list[str]:
    """States of the deliveries, in order."""
    return [row.state for row in rows(url)]
