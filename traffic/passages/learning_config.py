"""Settings of the learning of lanes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningConfig:
    """When and how lanes are learned from trajectories.

    Attributes:
        first_s: earliest learning after the first frame; every_s: time between two attempts.
        support: trajectories a direction of motion needs to become a lane while the video runs.
        patient_support: what it needs once its oldest trajectory has waited ``patience_s``; also what it needs at the end
            of a file, unless a single trajectory is longer than ``single_path`` picture heights.
        min_share: share of all moving vehicles so far that a direction needs to be a main direction.
        max_trajectories: trajectories kept for learning; the oldest go first.
        max_age_s: a trajectory older than this is no longer counted retroactively.
        min_path: a trajectory needs this length, in picture heights, and ``min_boxes`` of its own box sizes.
        same_direction_deg: directions that differ by less belong to one stream.
        reach_boxes: trajectories side by side within this many box widths belong to one stream.
        lane_pitch_boxes: modes of the lateral position further apart than this, in box widths, are different lanes.
    """

    first_s: float = 30.0
    every_s: float = 10.0
    support: int = 4
    patient_support: int = 2
    patience_s: float = 60.0
    max_trajectories: int = 300
    max_age_s: float = 600.0
    min_path: float = 0.12
    min_boxes: float = 1.0
    min_share: float = 0.05
    single_path: float = 0.3
    same_direction_deg: float = 40.0
    reach_boxes: float = 3.0
    lane_pitch_boxes: float = 1.1
