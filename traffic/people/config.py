"""Settings of people counting. Durations are seconds of video time. Those of crowd alarms are in the scene."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PeopleConfig:
    """Settings of the people sampler of one camera.

    Attributes:
        hysteresis_share: a foot point is clearly on one side of a line, or of a region's edge, when it is this share of the
            person's height in the picture away from it; between two clear sides nothing is counted.
        line_slack_share: a way round the end of a count line closer than this share of the height still crosses it.
        missed_s: a person who is not seen is still counted inside a region this long, and while somebody or something nearer
            to the camera hides him
        hidden_s: this long, unless another person is seen within
        same_share: of his height of where he is expected.
        heir_s: a new track may continue a person who was last seen at most this long ago...
        heir_share: ...within this share of the height of where that person was expected.
        border_share: a box this near to the picture's border (in picture heights) is entering or leaving the picture.
        max_gap_s: a longer time between two frames is not observed.
        settle_s: a second is closed this long after its end.

        sure_score: mean score from which a box is a person in any case. Below it is one while its middle strays by
        least_sway, or its top by least_nod, of its height (mean absolute distance), both over about lively_memory_s.
        crowded_share: whoever shares this part of the box with a nearer person is one without further proof, unless it looked
            like a thing before: people who hide one another are found with little certainty.
        lively_after_s: who is seen for a shorter time is a person from new_score on, or after a way of walked_share.
    """

    hysteresis_share: float = 0.12
    line_slack_share: float = 0.1
    missed_s: float = 0.3
    hidden_s: float = 1.5
    same_share: float = 0.35
    heir_s: float = 1.5
    heir_share: float = 0.5
    border_share: float = 0.01
    max_gap_s: float = 2.0
    settle_s: float = 1.0

    sure_score: float = 0.6
    least_sway: float = 0.02
    least_nod: float = 0.04
    lively_memory_s: float = 1.0
    lively_after_s: float = 1.0
    new_score: float = 0.45
    walked_share: float = 0.3
    crowded_share: float = 0.15
