"""Settings of the passages. Durations are seconds of video time, so the camera's rate does not matter."""

from dataclasses import dataclass, field

from traffic.passages.learning_config import LearningConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class PassageConfig:
    """Settings of one ``PassageAnalyzer``.

    Attributes:
        hysteresis_px: a contact point must have been this far before the snapshot line, and get this far beyond it, in
            pixels of the frame; box jitter of a vehicle standing on the line then cannot count it.
        hysteresis_share: the same as a share of the box height; the larger of the two holds.
        lateral_share: a crossing this share of the lane's width beside the lane still belongs to it, if no other lane
            is nearer (contact points are worth about a third of a vehicle's width).
        max_angle_deg: the path must be within this angle of the lane's direction where it crosses.
        settle_s: a passage is stated this long after its crossing, so that its speed is fitted on both sides of the line.
        border_px: an edge of a box this near to the picture's border is taken as cut by it.
        coast_s: a track that ends, or is cut by the border, before the line is counted when its motion carries it over
            the line within this time...
        coast_lengths: ...and within this many of its own lengths, or within half that time (a fast vehicle at few frames per
            second leaves no more than two frames).
        stitch_s: a new track may continue a vehicle that was last seen at most this long before.
        fit_window_s: longest stretch of trajectory used for a speed.
        min_fit_samples, min_fit_s, min_fit_m: a speed needs this many measured boxes, over this time and distance.
        max_speed_kmh: a faster fit is not a measurement.
        max_speed_error_kmh: a speed whose estimated standard error is larger is not a measurement.
        acceleration_std: prior standard deviation of a vehicle's acceleration in the fit, m/s².
        max_time_headway_s: after a longer time the vehicle before is no longer "the vehicle ahead".
        sure_score, sure_s: a vehicle that crosses was detected with this score or more at most this long before. A track may live
            on doubtful boxes alone (scores from 0.12); of twelve such "passages" of all clips here, ten were on road markings,
            shadows or parts of vehicles; the dimmest real ones had 0.24.
        gap_s: a longer time without frames is an observation gap: a vehicle may have passed unseen.
        spacing_extrapolation_s: how long a vehicle ahead that has left the picture is carried on at its last speed.
        max_length_error_m: a length whose estimated standard error is larger is not stated.
        learning: settings of the lanes that are learned when there is no scene.
    """

    hysteresis_px: float = 2.0
    hysteresis_share: float = 0.03
    lateral_share: float = 0.25
    max_angle_deg: float = 75.0
    settle_s: float = 0.2
    border_px: float = 3.0
    coast_s: float = 1.0
    coast_lengths: float = 3.0
    stitch_s: float = 2.5
    fit_window_s: float = 2.5
    min_fit_samples: int = 4
    min_fit_s: float = 0.15
    min_fit_m: float = 1.5
    max_speed_kmh: float = 250.0
    max_speed_error_kmh: float = 8.0
    acceleration_std: float = 0.5
    max_time_headway_s: float = 300.0
    sure_score: float = 0.24
    sure_s: float = 1.0
    gap_s: float = 2.0
    spacing_extrapolation_s: float = 4.0
    max_length_error_m: float = 1.0
    learning: LearningConfig = field(default_factory=LearningConfig)
