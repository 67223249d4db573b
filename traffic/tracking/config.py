"""Settings of the tracker. All durations are seconds of video time, so the camera's rate does not matter."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackerConfig:
    """Settings of one tracker.

    Attributes:
        high_score: detections from this score on take part in the first association (ByteTrack's "high" set).
        low_score: detections below are ignored; between low and high they may only continue a track.
        new_score: a detection needs this score to start a track.
        confirm_hits: matched detections before a track is CONFIRMED.
        confirm_high_score: a track whose every hit has at least this score needs one hit less.
        lost_s: a track that is not matched for this long is DELETED.
        lost_standing_s: the same for an object that stood still when it was lost (it waits behind an occlusion).
        tentative_s: a track not yet CONFIRMED is dropped after this long without a match.
        min_similarity: least overlap (IoU of the boxes widened by ``buffer``) of a match in the first association.
        min_similarity_low: the same with low-score detections, boxes not widened.
        buffer, buffer_wide: share of width and height by which boxes are widened on each side in the first and in the
            last, forgiving association (C-BIoU, Yang et al., WACV 2023).
        max_area_ratio: boxes of a match differ in area by at most this factor.
        position_noise: standard deviation of a detection's box edges, share of the box size.
        acceleration_noise: standard deviation of acceleration, box sizes per second squared.
        size_noise: standard deviation of the rate of change of the box size's velocity, box sizes per second squared.
        initial_speed: standard deviation of a new object's speed, box sizes per second.
        velocity_decay_s: predicted velocity of a LOST track falls to 1/e in this time.
        standing_speed: an object slower than this (box sizes per second) counts as standing.
        duplicate_iou: a younger track that overlaps an older one of its kind by this much is dropped.
    """

    high_score: float = 0.4
    low_score: float = 0.12
    new_score: float = 0.42
    confirm_hits: int = 3
    confirm_high_score: float = 0.6
    lost_s: float = 1.6
    lost_standing_s: float = 12.0
    tentative_s: float = 0.5
    min_similarity: float = 0.15
    min_similarity_low: float = 0.3
    buffer: float = 0.2
    buffer_wide: float = 0.6
    max_area_ratio: float = 3.0
    position_noise: float = 0.05
    acceleration_noise: float = 1.5
    size_noise: float = 0.4
    initial_speed: float = 4.0
    velocity_decay_s: float = 1.5
    standing_speed: float = 0.15
    duplicate_iou: float = 0.7


TRAFFIC = TrackerConfig()
PEDESTRIANS = TrackerConfig(
    high_score=0.6,
    low_score=0.1,
    new_score=0.7,
    confirm_hits=2,
    lost_s=1.2,
    lost_standing_s=2.0,
    min_similarity=0.2,
    min_similarity_low=0.4,
    buffer=0.05,
    buffer_wide=0.15,
    acceleration_noise=1.0,
    initial_speed=1.0,
)
PRESETS = {"traffic": TRAFFIC, "pedestrians": PEDESTRIANS}
