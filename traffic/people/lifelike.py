"""Whether what the detector calls a person is one: stones, cones and signs are called people too, for hours and doubtfully.

A living person is found with good certainty, or sways: even one who waits shifts weight and turns. A thing stays where it is to
the pixel. Whoever was called a person once and is a rigid, doubtful box now is one no more: a track that walked past a cone
may have stayed with the cone.
"""

import math
from dataclasses import dataclass

from traffic.people.config import PeopleConfig


@dataclass(slots=True)
class Liveliness:
    """Fading means over the last seconds of one track; lengths in heights of the box.

    Attributes:
        since_s, time_s: first and newest look. score: mean score.
        middle, top: mean place of the box's middle and top. sway, nod: mean absolute distance from them.
        walked: has been clearly away from where it was first seen, see ``PeopleConfig.walked_share``.
    """

    since_s: float
    time_s: float
    score: float
    middle: float
    top: float
    first: tuple[float, float]
    sway: float = 0.0
    nod: float = 0.0
    walked: bool = False

    def see(self, time_s: float, score: float, middle: float, top: float, tall: float, config: PeopleConfig) -> None:
        """A look: score, and in picture heights the middle and the top of the box and its height."""
        fade = 1 - math.exp(-max(time_s - self.time_s, 0.0) / config.lively_memory_s)
        # From the beginning all looks count alike, until there are enough to let the old ones fade.
        fade = max(fade, min((time_s - self.time_s) / max(time_s - self.since_s, 1e-6), 1.0))
        self.time_s = time_s
        self.score += fade * (score - self.score)
        self.sway += fade * (abs(middle - self.middle) / tall - self.sway)
        self.nod += fade * (abs(top - self.top) / tall - self.nod)
        self.middle += fade * (middle - self.middle)
        self.top += fade * (top - self.top)
        self.walked |= math.dist((middle, top), self.first) > config.walked_share * tall

    def is_person(self, config: PeopleConfig) -> bool:
        """The verdict now."""
        if self.score >= config.sure_score:
            return True
        if self.time_s - self.since_s < config.lively_after_s:
            return self.walked or self.score >= config.new_score
        # The less certain, the more it must move: half the boxes of a score of 0.25 are no people.
        doubt = (config.sure_score / max(self.score, 1e-3)) ** 2
        return self.sway >= doubt * config.least_sway or self.nod >= doubt * config.least_nod
