"""A fixed-time signal: green, yellow, red for the approach; walk while the approach is red."""

from dataclasses import dataclass

YELLOW_S = 3.0
CLEARANCE_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalPlan:
    """``cycle_s`` long, beginning with ``green_s`` of green."""

    cycle_s: float
    green_s: float

    def vehicle(self, time_s: float) -> str:
        """``green``, ``yellow`` or ``red``."""
        phase = time_s % self.cycle_s
        if phase < self.green_s:
            return "green"
        return "yellow" if phase < self.green_s + YELLOW_S else "red"

    def green_left_s(self, time_s: float) -> float:
        """Seconds of green left; 0 at yellow and red."""
        return max(0.0, self.green_s - time_s % self.cycle_s)

    def walk_left_s(self, time_s: float) -> float:
        """Seconds of walk left; 0 when people have to wait."""
        phase = time_s % self.cycle_s
        if phase < self.green_s + YELLOW_S + CLEARANCE_S:
            return 0.0
        return max(0.0, self.cycle_s - CLEARANCE_S - phase)
