"""What operators do with deliveries, against a real outbox and a real receiver."""

from pathlib import Path

from actors.delivery.outgoing import outgoing
from actors.delivery.ports import DELIVERED, GIVEN_UP, RETRYING, WAITING, Attempt, Bounds, Outcome
from actors.delivery.signing import verify
from api import deliveries
from api.database import Database
from api.deliveries import DeliveryFilter
from api.outbox import SqlOutboxStore
from tests.actors.delivery.servers import Request, raw_receiver
from tests.actors.delivery.support import facts, pusher, register, until

NOW = 1_700_000_000.0


def outbox(url: str) -> dict[str, str]:
    """Four deliveries of two interfaces, one in each state; fact → delivery id."""
    register(url, "http://r/")
    register(url, "http://s/")
    store = SqlOutboxStore(url)
    first, second = store.interfaces()
    made = {
        fact_id: outgoing(to, fact_id, task, b'{"a":1}', "", NOW + i)
        for i, (fact_id, to, task) in enumerate(
            (("ok", first, "1"), ("gone", first, "1"), ("retry", first, "2"), ("wait", second, "1"))
        )
    }
    store.accept(list(made.values()), [], [])
    for fact_id, state, status in (("ok", DELIVERED, 200), ("gone", GIVEN_UP, 500), ("retry", RETRYING, 0)):
        attempt = Attempt(delivery_id=made[fact_id].delivery_id, at=NOW + 9, status=status, latency_ms=5.0, excerpt="答")
        store.record([Outcome(attempt=attempt, state=state, next_attempt_at=NOW + 999 if state == RETRYING else 0.0)])
    return {fact_id: item.delivery_id for fact_id, item in made.items()}


def listed(url: str, ids: dict[str, str], **wanted: object) -> list[str]:
    names = {value: key for key, value in ids.items()}
    found = deliveries.list_deliveries(Database(url), DeliveryFilter(**wanted))
    assert deliveries.count_deliveries(Database(url), DeliveryFilter(**wanted)) == len(found)
    return [names[view.delivery_id] for view in found]


def test_deliveries_are_listed_newest_first_and_filtered(both: str) -> None:
    ids = outbox(both)
    assert listed(both, ids) == ["wait", "retry", "gone", "ok"]
    assert listed(both, ids, interface_id=1) == ["retry", "gone", "ok"]
    assert listed(both, ids, interface_id=1, order_key="1") == ["gone", "ok"]
    assert listed(both, ids, states=(DELIVERED, WAITING)) == ["wait", "ok"]
    assert listed(both, ids, since_s=NOW + 1, until_s=NOW + 3) == ["retry", "gone"]
    page = deliveries.list_deliveries(Database(both), DeliveryFilter(), page=2, page_size=3)
    assert [view.delivery_id for view in page] == [ids["ok"]]


def test_one_delivery_is_shown_with_its_attempts(both: str) -> None:
    ids = outbox(both)
    view = deliveries.query_delivery(Database(both), ids["gone"])
    assert view is not None
    assert (view.state, view.tries, view.body, view.finished_at, view.business_type) == (GIVEN_UP, 1, b'{"a":1}', NOW + 9, 21)
    assert [(one.status, one.latency_ms, one.excerpt) for one in view.attempts] == [(500, 5.0, "答")]
    assert deliveries.query_delivery(Database(both), "none") is None


def test_one_a_range_or_all_failed_are_put_back(both: str) -> None:
    ids, database = outbox(both), Database(both)

    def state(fact_id: str) -> tuple[str, int, float]:
        view = deliveries.query_delivery(database, ids[fact_id])
        return view.state, view.tries, view.next_attempt_at

    assert deliveries.replay_failed(database, now_s=NOW + 50) == 2
    assert state("gone") == state("retry") == (RETRYING, 0, 0.0)
    assert state("ok")[0] == DELIVERED
    assert deliveries.replay(database, DeliveryFilter(ids=[ids["ok"], "none"]), NOW + 50) == 1
    assert state("ok") == (RETRYING, 0, 0.0)
    assert deliveries.replay(database, DeliveryFilter(since_s=NOW + 3), NOW + 50) == 1
    assert state("wait") == (WAITING, 0, 0.0)
    assert deliveries.replay(database, DeliveryFilter(interface_id=99), NOW) == 0
    due = SqlOutboxStore(both).due(1, NOW, 8, 8, frozenset(), 8)
    assert {item.age_from for item in due} == {NOW + 50}, "a replay has its full time again"


async def test_a_replay_is_sent_again_under_its_id(url: str, tmp_path: Path) -> None:
    async def ok(request: Request) -> None:
        await request.answer(200)

    async with raw_receiver(ok) as receiver:
        register(url, receiver.url)
        made = pusher(url, tmp_path)
        await made.start()
        await made.publish(facts(3))
        await until(lambda: not SqlOutboxStore(url).waiting())
        assert deliveries.replay(Database(url), DeliveryFilter(ids=[receiver.ids[1]])) == 1
        made.interfaces_changed()
        await until(lambda: len(receiver.ids) == 4 and not SqlOutboxStore(url).waiting())
        await made.stop()
    assert receiver.ids[3] == receiver.ids[1]
    assert len(deliveries.query_delivery(Database(url), receiver.ids[1]).attempts) == 2


def test_a_secret_is_returned_once_and_two_sign_during_rotation(both: str) -> None:
    register(both, "http://r/")
    database, store = Database(both), SqlOutboxStore(both)
    first = deliveries.rotate_secret(database, 1, 100.0, NOW)
    assert store.interfaces()[0].secrets == ((first, float("inf")),)
    second = deliveries.rotate_secret(database, 1, 100.0, NOW)
    assert store.interfaces()[0].secrets == ((second, float("inf")), (first, NOW + 100))
    assert first != second
    assert deliveries.rotate_secret(database, 9) is None
    assert deliveries.remove_secret(database, 1)
    assert store.interfaces()[0].secrets == ()
    assert not deliveries.remove_secret(database, 9)


async def test_a_new_secret_signs_without_a_restart(url: str, tmp_path: Path) -> None:
    async def ok(request: Request) -> None:
        await request.answer(200)

    async with raw_receiver(ok) as receiver:
        interface = register(url, receiver.url)
        made = pusher(url, tmp_path)
        await made.start()
        await made.publish(facts(1))
        await until(lambda: len(receiver.requests) == 1)
        old = deliveries.rotate_secret(Database(url), interface)
        new = deliveries.rotate_secret(Database(url), interface)
        made.interfaces_changed()
        await until(lambda: len(made._workers[interface].interface.secrets) == 2)
        await made.publish(facts(1, first=1))
        await until(lambda: len(receiver.requests) == 2)
        await made.stop()
    bare, signed = receiver.requests
    assert "webhook-signature" not in bare.headers
    for secret in (old, new):
        stamp = int(signed.headers["webhook-timestamp"])
        assert verify(secret, signed.headers["webhook-signature"], signed.headers["webhook-id"], stamp, signed.body)


def test_receivers_are_shown_with_what_waits_and_what_was_lost(both: str) -> None:
    outbox(both)
    store = SqlOutboxStore(both)
    assert store.prune(NOW, Bounds(max_waiting=0)) == {1: 1, 2: 1}
    shown = deliveries.receivers(Database(both))
    assert {key: (view.backlog.waiting, view.backlog.dropped) for key, view in shown.items()} == {1: (0, 1), 2: (0, 1)}
