"""Facts of many cameras go together into few transactions, and one that is refused harms no other."""

import asyncio
import threading
from typing import Any

import pytest

from actors.delivery.intake import Entry, Intake
from actors.errors import StoreUnavailableError


class Store:
    """An outbox that notes its transactions; the first one waits until it is let go."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.go = threading.Event()
        self.away = False

    def accept(self, deliveries: Any, held: Any, statuses: Any, history: Any = (), tasks: Any = ()) -> int:
        self.go.wait(10)
        if self.away:
            raise StoreUnavailableError("away")
        if "bad" in deliveries:
            raise ValueError("refused")
        self.transactions.append(list(deliveries))
        return len(deliveries)


def entry(*names: str) -> Entry:
    return Entry(deliveries=names, held=(), statuses=(), history=())  # type: ignore[arg-type]


async def begun(intake: Intake, *entries: Entry) -> list["asyncio.Task[int]"]:
    """Every entry put by a caller of its own, in order."""
    callers = []
    for item in entries:
        callers.append(asyncio.create_task(intake.put(item)))
        await asyncio.sleep(0)
    return callers


async def test_what_comes_during_a_transaction_goes_together_into_the_next_in_order() -> None:
    store = Store()
    intake = Intake(store)  # type: ignore[arg-type]
    callers = await begun(intake, entry("a"), entry("b"), entry("c", "d"), entry("e"))
    store.go.set()
    await asyncio.gather(*callers)
    assert store.transactions == [["a"], ["b", "c", "d", "e"]]


async def test_a_transaction_takes_a_bounded_number_of_callers() -> None:
    store = Store()
    intake = Intake(store)  # type: ignore[arg-type]
    callers = await begun(intake, *(entry(str(number)) for number in range(200)))
    store.go.set()
    await asyncio.gather(*callers)
    assert [name for transaction in store.transactions for name in transaction] == [str(number) for number in range(200)]
    assert max(map(len, store.transactions)) == 64


async def test_a_fact_that_is_refused_harms_no_other_camera() -> None:
    store = Store()
    intake = Intake(store)  # type: ignore[arg-type]
    callers = await begun(intake, entry("a"), entry("b"), entry("bad"), entry("c"))
    store.go.set()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(result) for result in results] == [int, int, ValueError, int]
    assert store.transactions == [["a"], ["b"], ["c"]]


async def test_while_the_database_is_away_every_caller_is_told_and_later_ones_are_kept() -> None:
    store = Store()
    store.away = True
    store.go.set()
    intake = Intake(store)  # type: ignore[arg-type]
    results = await asyncio.gather(*await begun(intake, entry("a"), entry("b")), return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailableError] * 2
    store.away = False
    assert await intake.put(entry("c")) == 1
    assert store.transactions == [["c"]]


async def test_a_caller_that_gives_up_leaves_the_others_alone() -> None:
    store = Store()
    intake = Intake(store)  # type: ignore[arg-type]
    first, second, third = await begun(intake, entry("a"), entry("b"), entry("c"))
    first.cancel()
    second.cancel()
    await asyncio.sleep(0)
    store.go.set()
    assert await third == 2
    for caller in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert store.transactions == [["a"], ["b", "c"]]
