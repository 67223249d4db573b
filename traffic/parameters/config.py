"""Settings of the traffic parameters. Lengths are metres on the road; without calibration they are nominal metres, taken
from the usual length of each vehicle's class."""

from dataclasses import dataclass

MIN_PERIOD_S, MAX_PERIOD_S = 1, 120


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterConfig:
    """Settings of the samplers of one camera.

    Attributes:
        loop_length_m: length of the detection section; it is centred on the lane's snapshot line.
        max_gap_s: a longer time between two frames is not observed: nothing is assumed about it.
        settle_s: a second is closed this long after its end, so that passages stated a little later are in it.
        queue_speed_kmh: a slower vehicle is standing in the sense of a queue.
        queue_settle_s: a vehicle joins a queue after standing this long, and leaves it after...
        queue_release_s: ...being faster this long.
        queue_gap_m: largest distance from the rear of a queued vehicle to the front of the next one; a larger one ends the queue.
        queue_hidden_gap_m: the same where the vehicles themselves hide the road between them...
        queue_seen_gap_m: ...and this much of it is seen at most.
        queue_start_m: largest distance from the stop line to the first vehicle of a queue.
        queue_discharge_s: while a queue starts to move from its head, those who still stand stay in it as long as a vehicle
            ahead of them left it at most this long ago (a start-up wave takes one to two seconds per vehicle).
        queue_bridge_s, queue_bridge_kmh: vehicles that drive off ahead of standing ones join them to the stop line; the gap
            behind one of them may be longer by its way in this time, if it is not faster than this.
        hold_s: a standing vehicle that is not seen (hidden) is held in its place this long...
        edge_hold_s: ...and this long when it was at the picture's edge, where it may have left.
        coast_s: a moving vehicle that is not seen is carried on this long.
    """

    loop_length_m: float = 2.0
    max_gap_s: float = 2.0
    settle_s: float = 1.0
    queue_speed_kmh: float = 5.0
    queue_settle_s: float = 0.5
    queue_release_s: float = 0.4
    queue_gap_m: float = 10.0
    queue_hidden_gap_m: float = 25.0
    queue_seen_gap_m: float = 6.0
    queue_start_m: float = 10.0
    queue_discharge_s: float = 6.0
    queue_bridge_s: float = 2.0
    queue_bridge_kmh: float = 40.0
    hold_s: float = 30.0
    edge_hold_s: float = 2.0
    coast_s: float = 0.6
