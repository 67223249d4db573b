"""Without a scene the main directions of motion become lanes, and nobody seen meanwhile is forgotten."""

from collections.abc import Iterable

import numpy as np
import pytest

from tests.traffic.passages.scripted import FRAME, START_S, play, seconds, track
from traffic.facts import Turn
from traffic.geometry import self_crossing
from traffic.passages import LearningConfig, PassageAnalyzer, PassageConfig
from traffic.types import Track, TrackState

Way = tuple[tuple[float, float], tuple[float, float]]
DOWN: Way = ((350, 150), (350, 950))
DOWN_BESIDE: Way = ((520, 150), (520, 950))
UP: Way = ((750, 950), (750, 150))


def traffic(ways: list[Way], every_s: float, until_s: float, drive_s: float = 4.0, seed: int = 1) -> "Traffic":
    return Traffic(ways, every_s, until_s, drive_s, seed)


class Traffic:
    """Vehicles that take turns on the given ways, one every ``every_s``."""

    def __init__(self, ways: list[Way], every_s: float, until_s: float, drive_s: float, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.starts = [(index, index * every_s) for index in range(int(until_s / every_s) + 1)]
        self._ways, self._drive_s = ways, drive_s

    def __call__(self, t: float) -> Iterable[Track]:
        for index, start_s in self.starts:
            share = (t - start_s) / self._drive_s
            (ax, ay), (bx, by) = self._ways[index % len(self._ways)]
            if 0 <= share <= 1:
                x, y = np.array([ax + share * (bx - ax), ay + share * (by - ay)]) + self._random.normal(0, 1.5, 2)
                yield track(index + 1, t, float(x), float(y), first_s=start_s)
            elif 1 < share <= 1 + 0.15 / self._drive_s:
                yield track(index + 1, t, bx, by, first_s=start_s, state=TrackState.DELETED, unseen_s=0.1)


def test_a_two_way_road_gives_two_lanes_and_counts_each_vehicle_once_also_those_seen_while_learning() -> None:
    analyzer = PassageAnalyzer(None)
    script = traffic([DOWN, UP], 1.5, 60.0)
    stated = play(analyzer, script, seconds(70.0))
    stated += analyzer.finish()
    assert len(analyzer.lanes) == 2
    assert sorted(p.track_id for p in stated) == [index + 1 for index, _ in script.starts]
    assert {(p.track_id % 2, p.road_num) for p in stated} in ({(0, 1), (1, 2)}, {(0, 2), (1, 1)})
    late = [p for p in stated if p.late]
    assert late
    assert all(not p.late for p in stated if p.time_s - START_S > 35)


def test_lanes_side_by_side_are_told_apart_and_numbered_from_the_driver_s_left() -> None:
    analyzer = PassageAnalyzer(None)
    play(analyzer, traffic([DOWN, DOWN_BESIDE], 1.5, 40.0), seconds(45.0))
    first, second = analyzer.lanes
    # Driving down the picture, the driver's left is the picture's right.
    assert np.mean(first.snapshot_line, axis=0)[0] > np.mean(second.snapshot_line, axis=0)[0]
    assert first.turn is Turn.STRAIGHT


def test_a_file_that_ends_before_learning_is_learned_at_its_end() -> None:
    analyzer = PassageAnalyzer(None)
    script = traffic([DOWN, UP], 2.0, 8.0)
    assert not play(analyzer, script, seconds(13.0))
    assert not analyzer.lanes
    stated = analyzer.finish()
    assert sorted(p.track_id for p in stated) == [1, 2, 3, 4, 5]
    assert [p.time_s for p in stated] == sorted(p.time_s for p in stated)
    assert all(p.late for p in stated)
    assert not analyzer.finish()


def test_one_long_drive_is_enough_at_the_end_of_a_file() -> None:
    analyzer = PassageAnalyzer(None)
    play(analyzer, traffic([DOWN], 100.0, 1.0), seconds(6.0))
    assert len(analyzer.finish()) == 1


def test_parked_vehicles_and_standing_noise_make_no_lane() -> None:
    analyzer = PassageAnalyzer(None)
    random = np.random.default_rng(2)

    def script(t: float) -> Iterable[Track]:
        return [track(k, t, 200 * k + random.normal(0, 3), 500 + random.normal(0, 3), moved=k == 2) for k in (1, 2, 3)]

    play(analyzer, script, seconds(60.0))
    assert not analyzer.finish()
    assert not analyzer.lanes


def test_a_direction_first_seen_later_becomes_a_further_lane_and_numbers_stay() -> None:
    analyzer = PassageAnalyzer(None, PassageConfig(learning=LearningConfig(first_s=10.0, every_s=5.0)))
    early = traffic([DOWN], 1.5, 25.0)
    late = traffic([UP], 1.5, 25.0)
    later = late.starts

    def script(t: float) -> Iterable[Track]:
        yield from early(t)
        for item in late(t - 40.0):
            yield track(1000 + item.track_id, t, (item.box[0] + item.box[2]) / 2, item.box[3], first_s=t - 1, state=item.state)

    stated = play(analyzer, script, seconds(35.0))
    before = analyzer.lanes
    assert len(before) == 1
    stated += play(analyzer, script, [35.1 + t for t in seconds(40.0)])
    stated += analyzer.finish()
    assert analyzer.lanes[0] == before[0]
    assert [lane.road_num for lane in analyzer.lanes] == [1, 2]
    assert sum(p.road_num == 2 for p in stated) == len(later)


def test_a_fork_gives_a_lane_for_each_branch() -> None:
    analyzer = PassageAnalyzer(None)
    random = np.random.default_rng(4)

    def script(t: float) -> Iterable[Track]:
        for index in range(16):
            share = (t - 2 * index) / 6
            if 0 <= share <= 1:
                y = 950 - 800 * share
                bend = max(share - 0.3, 0) * 900
                x = 500 + (bend if index % 2 else -bend) + random.normal(0, 1.5)
                yield track(index + 1, t, x, y + (bend * 0.6), first_s=2.0 * index)

    stated = play(analyzer, script, seconds(45.0)) + list(analyzer.finish())
    assert sorted(p.track_id for p in stated) == list(range(1, 17))
    assert len({(p.track_id % 2, p.road_num) for p in stated}) == 2


def test_learned_lanes_are_valid_lanes() -> None:
    analyzer = PassageAnalyzer(None)
    play(analyzer, traffic([DOWN, UP, ((100, 300), (950, 420))], 1.5, 60.0), seconds(66.0))
    assert len(analyzer.lanes) == 3
    for lane in analyzer.lanes:
        assert len(lane.polygon) >= 4
        assert self_crossing(lane.polygon) is None
        assert all(0 <= v <= 1 for point in (*lane.polygon, *lane.direction, *lane.snapshot_line) for v in point)


def test_the_box_of_a_retroactive_passage_is_the_present_one_while_the_vehicle_is_in_view() -> None:
    analyzer = PassageAnalyzer(None, PassageConfig(learning=LearningConfig(first_s=10.0, support=2)))
    script = traffic([DOWN], 3.1, 20.0)
    for t in seconds(20.0):
        tracks = {item.track_id: item for item in script(t)}
        for passage in analyzer.update(START_S + t, FRAME, tuple(tracks.values())):
            present = tracks.get(passage.track_id)
            if not passage.late:
                assert present is not None
                assert passage.box == pytest.approx(present.box)
