"""Metrics of deliveries on Ray's metrics endpoint."""

from actors.delivery.ports import DELIVERED, Attempt, Backlog, Due, InterfaceConfig

_BOUNDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
_MAX_TASKS = 500
OTHER = "other"


class TaskLabels:
    """Task numbers as values of a label: ASCII only, as Ray wants it, and at most ``most`` of them; the rest is "other"."""

    def __init__(self, most: int = _MAX_TASKS) -> None:
        self._most, self._known = most, set[str]()

    def label(self, task_num: str) -> str:
        """The value for one task."""
        text = task_num.encode("ascii", "backslashreplace").decode()
        if text not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(text)
        return text


class DeliveryMetrics:
    """Implements ``actors.pusher.DeliveryObserver``."""

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Gauge, Histogram

        one = ("interface",)
        self._tasks = TaskLabels()
        self._attempts = Counter(
            "wayside_deliveries_total", "Delivery attempts", tag_keys=("interface", "task", "outcome", "status")
        )
        self._latency = Histogram("wayside_delivery_seconds", "Time of one attempt", boundaries=_BOUNDS, tag_keys=one)
        self._delay = Histogram(
            "wayside_delivery_delay_seconds", "From acceptance to delivery", boundaries=[*_BOUNDS, 60, 600, 3600], tag_keys=one
        )
        self._waiting = Gauge("wayside_outbox_waiting", "Deliveries waiting", tag_keys=one)
        self._bytes = Gauge("wayside_outbox_bytes", "Bytes of the bodies waiting", tag_keys=one)
        self._held = Gauge("wayside_outbox_held", "Items of the open period", tag_keys=one)
        self._dropped = Gauge("wayside_outbox_dropped", "Deliveries dropped since the interface was made", tag_keys=one)
        self._open = Gauge("wayside_receiver_circuit_open", "1 while the circuit breaker is not closed", tag_keys=one)
        self._shown: set[int] = set()

    def attempt(self, interface: InterfaceConfig, due: Due, attempt: Attempt, state: str) -> None:
        """See DeliveryObserver."""
        name = str(interface.interface_id)
        kind = f"{attempt.status // 100}xx" if attempt.status else "none"
        task = self._tasks.label(due.outgoing.order_key)
        self._attempts.inc(1, {"interface": name, "task": task, "outcome": state, "status": kind})
        self._latency.observe(max(attempt.latency_ms, 0.001) / 1000, {"interface": name})
        if state == DELIVERED:
            self._delay.observe(max(attempt.at - due.age_from, 0.001), {"interface": name})

    def backlog(self, backlog: dict[int, Backlog], breakers: dict[int, str]) -> None:
        """See DeliveryObserver."""
        for key in self._shown - backlog.keys():  # an interface that is gone waits for nothing
            self._show(key, Backlog(), "closed")
        for key, held in backlog.items():
            self._show(key, held, breakers.get(key, "closed"))
        self._shown = set(backlog)

    def _show(self, interface_id: int, held: Backlog, breaker: str) -> None:
        tags = {"interface": str(interface_id)}
        self._waiting.set(held.waiting, tags)
        self._bytes.set(held.size_bytes, tags)
        self._held.set(held.held, tags)
        self._dropped.set(held.dropped, tags)
        self._open.set(float(breaker != "closed"), tags)
