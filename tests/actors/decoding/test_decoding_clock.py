import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.decoding.clock import CatchUp, LiveWallClock, MediaClock, RateLimiter, StampChooser


def times(stamps, frame_s=0.04):
    clock = MediaClock(frame_s=frame_s)
    return clock, [clock.advance(stamp) for stamp in stamps]


def test_variable_frame_rate_is_kept_exactly():
    _, media = times([5.0, 5.1, 5.5, 5.52])
    assert media == pytest.approx([0.0, 0.1, 0.5, 0.52])


def test_missing_stamps_are_synthesised_from_the_nominal_rate():
    _, media = times([None, None, None])
    assert media == pytest.approx([0.0, 0.04, 0.08])
    clock, media = times([1.0, None, 1.08])
    assert media == pytest.approx([0.0, 0.04, 0.08])
    assert clock.jumps == 0


def test_stamps_that_begin_late_take_over_without_a_jump():
    clock, media = times([None, None, 100.0, 100.04])
    assert media == pytest.approx([0.0, 0.04, 0.08, 0.12])
    assert clock.jumps == 0


@pytest.mark.parametrize("after", [0.0, 95443.7, -3.0, 1e9])
def test_a_jump_or_wrap_costs_one_frame(after):
    clock, media = times([60.0, 60.04, after, after + 0.04])
    assert media == pytest.approx([0.0, 0.04, 0.08, 0.12])
    assert clock.jumps == 1


def test_disorder_of_single_pictures_does_not_shift_the_time_base():
    clock, media = times([0.0, 0.04, 0.12, 0.08, 0.16])
    assert media == sorted(set(media))
    assert media[-1] == pytest.approx(0.16)
    assert clock.jumps == 0


def test_a_live_gap_is_believed_when_it_passed_on_the_wall():
    clock = MediaClock(frame_s=0.04)
    clock.advance(0.0, 0.0)
    assert clock.advance(8.0, 7.9) == pytest.approx(8.0)
    assert clock.advance(108.0, 0.04) == pytest.approx(8.04)
    assert clock.advance(50.0, 3.0) == pytest.approx(11.04), "a jump back is bridged by the time that passed"


def test_parts_follow_each_other_by_one_frame():
    clock, media = times([3.0, 3.04])
    clock.begin_part(0.1)
    assert clock.advance(0.0) == pytest.approx(media[-1] + 0.1)
    assert clock.advance(0.1) == pytest.approx(media[-1] + 0.2)
    assert clock.jumps == 0


@given(st.lists(st.one_of(st.none(), st.floats(-1e10, 1e10, allow_nan=False)), min_size=2, max_size=60))
def test_media_time_always_increases(stamps):
    _, media = times(stamps)
    assert all(b > a for a, b in itertools.pairwise(media))


def test_wall_clock_follows_the_stream_not_the_jitter():
    clock = LiveWallClock()
    jitter = [0.0, 0.3, 0.02, 0.25, 0.1] * 100
    stated = [clock.at(n * 0.04, 1000.0 + n * 0.04 + jitter[n]) for n in range(500)]
    steps = [b - a for a, b in itertools.pairwise(stated)]
    assert all(abs(step - 0.04) <= 0.04 * 0.005 + 1e-9 for step in steps)


def test_wall_clock_follows_a_drifting_camera():
    clock = LiveWallClock()
    drift = 1.0002  # 200 ppm, twice a bad crystal
    for n in range(0, 250_000, 10):
        media_s = n * 0.04
        stated = clock.at(media_s, 1000.0 + media_s * drift)
    assert stated == pytest.approx(1000.0 + media_s * drift, abs=0.1)


def test_wall_clock_steps_forward_only_when_lateness_lasts():
    clock = LiveWallClock()
    clock.at(0.0, 1000.0)
    assert clock.at(1.0, 1009.0) == pytest.approx(1001.0, abs=0.01), "a pause of the network is no step"
    for n in range(2, 40):
        stated = clock.at(float(n), 1008.0 + n)
    assert stated == pytest.approx(1008.0 + 39, abs=0.2)


def test_wall_clock_of_a_new_connection_starts_after_the_old_one():
    clock = LiveWallClock(floor_s=2000.0)
    first, second = clock.at(0.0, 1990.0), clock.at(0.04, 1990.04)
    assert first > 2000.0
    assert second - first == pytest.approx(0.04, abs=0.001)


@given(st.lists(st.tuples(st.floats(0.001, 30.0), st.floats(-100.0, 100.0)), min_size=2, max_size=60), st.floats(0, 2e9))
def test_wall_time_always_increases(steps, floor_s):
    clock, media_s, stated = LiveWallClock(floor_s=floor_s), 0.0, []
    for step_s, error_s in steps:
        media_s += step_s
        stated.append(clock.at(media_s, 1e9 + media_s + error_s))
    assert all(b > a for a, b in zip([floor_s, *stated], stated, strict=False))


@pytest.mark.parametrize(("source_fps", "wanted_fps"), [(25, 12.5), (25, 10), (30, 12), (29.97, 5), (25, 25), (10, 25)])
def test_rate_limit_holds_its_mean(source_fps, wanted_fps):
    limiter = RateLimiter(wanted_fps)
    chosen = [n / source_fps for n in range(int(60 * source_fps)) if limiter.due(n / source_fps)]
    assert len(chosen) / 60 == pytest.approx(min(source_fps, wanted_fps), rel=0.02)


def test_rate_limit_zero_takes_every_picture():
    assert all(RateLimiter(0).due(n / 25) for n in range(100))


def test_rate_limit_does_not_rush_after_a_gap():
    limiter = RateLimiter(5)
    assert limiter.due(0.0)
    assert [limiter.due(10.0 + n * 0.04) for n in range(6)] == [True, False, False, False, False, True]


def test_catch_up_ends_when_pictures_come_at_the_cameras_pace():
    catch_up = CatchUp()
    assert [catch_up.over(n * 0.04, n * 0.002) for n in range(20)] == [False] * 20
    assert catch_up.over(20 * 0.04, 0.04 + 0.04)
    assert catch_up.over(21 * 0.04, 0.0801), "once over, always over"
    endless = CatchUp(limit_s=1.0)
    assert endless.over(1.0, 0.0)


def test_guessed_presentation_stamps_that_run_back_lose_against_decoding_stamps():
    chooser = StampChooser()
    chosen = [chooser.choose(p, d) for p, d in [(1, 3), (4, 4), (6, 5), (5, 6), (7, 7), (9, 8), (8, 9)]]
    assert chosen[:3] == [1, 4, 6]
    assert chosen[3:] == [6, 7, 8, 9]
    chooser = StampChooser(distrust=1)
    assert [chooser.choose(p, d) for p, d in [(1, 3), (None, 4), (6, None), (None, None)]] == [3, 4, None, None]
    assert StampChooser(distrust=1).choose(6, None) == 6


def test_sound_presentation_stamps_win_whatever_the_decoding_stamps_do():
    chooser = StampChooser()
    assert [chooser.choose(p, d) for p, d in [(0, 0), (10, 5), (20, 5), (30, 4), (35, None)]] == [0, 10, 20, 30, 35]
