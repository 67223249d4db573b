"""Settings of the tracker. All durations are seconds of video time, so the camera's rate does not matter.

"Size" is the square root of a box's area: lengths, speeds and noise are stated in sizes, so that near and far objects and
every resolution share one setting.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackerConfig:
    """Settings of one tracker.

    Attributes:
        low_score: detections below are ignored.
        high_score: detections below are uncertain: they may only continue a track (ByteTrack's second set).
        new_score: a detection needs this score to start a track.

        min_similarity: least similarity of a track and a confident detection that match, 0..1, the similarity being lowered
            where the detection is uncertain (``score_weight``).
        low_similarity: least similarity of a track left over and an uncertain detection.
        low_lost_penalty, low_tentative_penalty: added to it for a track that is lost, and for one that is not confirmed; 1 lets
            no such track continue with an uncertain detection.
        tentative_penalty: added to ``min_similarity`` for a track that is not confirmed.
        last_similarity: least similarity of a track left over and a confident detection that would start a track otherwise,
            with boxes widened by
        last_margin: this many sizes on every side (0: with the similarity as it was).
        last_for_all: this last chance is open to every confirmed track, not only to one that was lost before.
        margin: boxes are widened on every side by this share of their size before their overlap is measured
            (C-BIoU, Yang et al., WACV 2023), and by
        margin_deviations: this many standard deviations of the predicted position. A settled track has a small one; that of a
            new track, whose speed is unknown, grows with the time between frames.
        max_margin: bound of the whole margin, in sizes.
        height_weight: exponent of the overlap of vertical extents in the similarity (Hybrid-SORT, Yang et al., AAAI 2024).
        score_weight: weight of the detection's score in the similarity.
        min_area_ratio: smaller over larger area of a match is at least this.
        duplicate_overlap: detections of one kind that overlap this much (IoU) are one object, and so are tracks.
        birth_overlap: a detection that overlaps a track matched in this frame this much starts no track.
        camera_spreads: how clear a common motion of all objects must be, in spreads of their residuals, to be taken for one
            of the camera; 0 for a fixed camera.

        confirm_hits: matched detections before a track is CONFIRMED,
        confirm_s: and the least time since its first.
        sure_score, sure_hits: a track with this mean score needs only this many hits, and no time.
        tentative_s: a track not yet CONFIRMED is dropped after this long without a match.
        lost_s: a track that is not matched for this long is DELETED; the time for which another object hides it does not
            count, but at most
        hidden_s: seconds without a match are granted in all.
        lost_standing_s, hidden_standing_s: the same for an object that stood when it was lost.
        hidden_share: share of its box that the box of a nearer object covers when an object counts as hidden.
        standing_s: an object that has not moved for this long stands.
        standing_shift: moves below this many sizes are box jitter.

        position_noise, size_noise: standard deviation of a detected box's bottom centre and of its width and height, sizes.
        doubt: growth of both when the score falls from 1 to 0.
        hidden_doubt: growth of both when a nearer object's box covers all of the detection's.
        position_wander, size_wander: random walk of position and size, sizes per root second.
        acceleration_noise, growth_noise: random walk of speed and of the rate of growth, sizes per second per root second.
        initial_speed, initial_growth: standard deviation of a new object's speed and growth, sizes per second.
        velocity_memory_s: time in which a followed object's velocity is forgotten (to 1/e).
        lost_memory_s: the same for a lost object: it is expected to come to rest.
        growth_memory_s: the same for growth.
        class_memory_s: time of being seen after which a class vote has lost half its weight.
    """

    low_score: float = 0.12
    high_score: float = 0.4
    new_score: float = 0.42

    min_similarity: float = 0.15
    low_similarity: float = 0.38
    low_lost_penalty: float = 0.15
    low_tentative_penalty: float = 0.05
    tentative_penalty: float = 0.05
    last_similarity: float = 0.1
    last_margin: float = 0.0
    last_for_all: bool = False
    margin: float = 0.1
    margin_deviations: float = 1.0
    max_margin: float = 1.2
    height_weight: float = 0.0
    score_weight: float = 0.3
    min_area_ratio: float = 0.33
    duplicate_overlap: float = 0.75
    birth_overlap: float = 0.6
    camera_spreads: float = 0.0

    confirm_hits: int = 3
    confirm_s: float = 0.1
    sure_score: float = 0.65
    sure_hits: int = 2
    tentative_s: float = 0.5
    lost_s: float = 1.6
    hidden_s: float = 4.0
    lost_standing_s: float = 12.0
    hidden_standing_s: float = 300.0
    hidden_share: float = 0.5
    standing_s: float = 2.0
    standing_shift: float = 0.25

    position_noise: float = 0.05
    size_noise: float = 0.06
    doubt: float = 1.0
    hidden_doubt: float = 0.0
    position_wander: float = 0.1
    size_wander: float = 0.2
    acceleration_noise: float = 1.5
    growth_noise: float = 0.4
    initial_speed: float = 4.0
    initial_growth: float = 0.5
    velocity_memory_s: float = 20.0
    lost_memory_s: float = 1.0
    growth_memory_s: float = 0.5
    class_memory_s: float = 10.0


TRAFFIC = TrackerConfig()
PEDESTRIANS = TrackerConfig(
    low_score=0.095,
    high_score=0.655,
    new_score=0.695,
    min_similarity=0.08,
    low_similarity=0.5,
    low_lost_penalty=1.0,
    low_tentative_penalty=1.0,
    last_similarity=0.15,
    last_margin=0.1,
    last_for_all=True,
    margin=0.0,
    margin_deviations=0.0,
    height_weight=1.5,
    score_weight=1.0,
    min_area_ratio=0.4,
    duplicate_overlap=0.9,
    birth_overlap=1.0,
    camera_spreads=1.5,
    confirm_hits=2,
    confirm_s=0.0,
    sure_score=0.8,
    sure_hits=1,
    tentative_s=0.045,
    lost_s=2.0,
    hidden_s=2.0,
    lost_standing_s=2.0,
    hidden_standing_s=2.0,
    hidden_share=0.7,
    standing_s=0.5,
    standing_shift=0.3,
    position_noise=0.08,
    size_noise=0.1,
    doubt=1.5,
    hidden_doubt=1.5,
    position_wander=0.4,
    size_wander=0.15,
    acceleration_noise=1.6,
    growth_noise=0.3,
    initial_speed=3.0,
    initial_growth=0.3,
    velocity_memory_s=1000.0,
    lost_memory_s=3.0,
    growth_memory_s=2.0,
)
PRESETS = {"traffic": TRAFFIC, "pedestrians": PEDESTRIANS}
