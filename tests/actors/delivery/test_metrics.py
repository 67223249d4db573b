"""Metrics of deliveries: which, and how many values their labels can take."""

from dataclasses import replace

import pytest

from actors.delivery.metrics import OTHER, DeliveryMetrics, TaskLabels
from actors.delivery.outgoing import outgoing
from actors.delivery.ports import DELIVERED, RETRYING, Attempt, Backlog, Due
from tests.actors.delivery.test_policy import FAILED, RECEIVER


class Recorded:
    """Stands in for Ray's metrics: remembers the last value of every series."""

    series: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    def __init__(self, name: str, description: str, tag_keys: tuple[str, ...], boundaries: list[float] | None = None) -> None:
        assert boundaries is None or boundaries == sorted(boundaries)
        self.name, self.keys = name, tag_keys

    def _at(self, tags: dict[str, str]) -> tuple[str, tuple[tuple[str, str], ...]]:
        assert set(tags) == set(self.keys)
        assert all(value.isascii() for value in tags.values())
        return self.name, tuple(sorted(tags.items()))

    def inc(self, value: float, tags: dict[str, str]) -> None:
        self.series[self._at(tags)] = self.series.get(self._at(tags), 0) + value

    def set(self, value: float, tags: dict[str, str]) -> None:
        self.series[self._at(tags)] = value

    observe = set


@pytest.fixture
def series(monkeypatch: pytest.MonkeyPatch) -> dict:
    Recorded.series = {}
    for kind in ("Counter", "Gauge", "Histogram"):
        monkeypatch.setattr(f"ray.util.metrics.{kind}", Recorded)
    return Recorded.series


def attempt(metrics: DeliveryMetrics, task: str, status: int, state: str) -> None:
    due = Due(outgoing=outgoing(RECEIVER, "f", task, b"", "", 0.0), attempts=0, age_from=0.0, in_lane=True)
    made: Attempt = replace(FAILED, status=status, at=2.0)
    metrics.attempt(RECEIVER, due, made, state)


def test_attempts_are_counted_by_interface_task_outcome_and_kind_of_status(series: dict) -> None:
    metrics = DeliveryMetrics()
    for status, state in ((200, DELIVERED), (200, DELIVERED), (503, RETRYING), (0, RETRYING)):
        attempt(metrics, "任务1", status, state)
    task = r"\u4efb\u52a11"

    def count(outcome: str, status: str) -> float:
        tags = {"interface": "1", "task": task, "outcome": outcome, "status": status}
        return series["wayside_deliveries_total", tuple(sorted(tags.items()))]

    assert (count(DELIVERED, "2xx"), count(RETRYING, "5xx"), count(RETRYING, "none")) == (2, 1, 1)
    assert series["wayside_delivery_delay_seconds", (("interface", "1"),)] == 2.0


def test_the_label_of_tasks_is_bounded() -> None:
    labels = TaskLabels(most=3)
    assert [labels.label(text) for text in ("a", "b", "c", "d", "a", "e")] == ["a", "b", "c", OTHER, "a", OTHER]


def test_the_outbox_is_shown_by_interface_and_a_deleted_one_goes_to_zero(series: dict) -> None:
    metrics = DeliveryMetrics()
    metrics.backlog({1: Backlog(waiting=7, size_bytes=700, held=2, dropped=3)}, {1: "open"})
    one = (("interface", "1"),)
    names = ("wayside_outbox_waiting", "wayside_outbox_bytes", "wayside_outbox_held", "wayside_outbox_dropped")
    assert [series[name, one] for name in names] == [7, 700, 2, 3]
    assert series["wayside_receiver_circuit_open", one] == 1
    metrics.backlog({}, {})
    assert [series[name, one] for name in names] == [0, 0, 0, 0]
