"""Metrics of deliveries on Ray's metrics endpoint."""

from actors.delivery.ports import Attempt, InterfaceConfig

_BOUNDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]


class DeliveryMetrics:
    """Counts attempts by interface and outcome."""

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Histogram

        self._attempts = Counter("wayside_deliveries_total", "Delivery attempts", tag_keys=("interface", "outcome"))
        self._latency = Histogram("wayside_delivery_seconds", "Time of one attempt", boundaries=_BOUNDS, tag_keys=("interface",))

    def observe(self, interface: InterfaceConfig, attempt: Attempt, state: str) -> None:
        """Note one attempt; ``state`` is what became of the delivery."""
        name = str(interface.interface_id)
        self._attempts.inc(1, {"interface": name, "outcome": state})
        self._latency.observe(attempt.latency_ms / 1000, {"interface": name})
