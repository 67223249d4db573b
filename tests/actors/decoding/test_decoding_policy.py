import random

import pytest

from actors.decoding import ReconnectConfig, ReconnectPolicy
from traffic.facts import TaskStatusCode

NOT_STARTED, ANALYSING, RECONNECTING, DISCONNECTED = TaskStatusCode


def policy(**settings):
    return ReconnectPolicy(ReconnectConfig(**settings), random.Random(7))


def status_of(change):
    return None if change is None else change.status


def test_a_camera_lives_through_its_states_in_order():
    camera = policy()
    assert camera.status is NOT_STARTED
    assert status_of(camera.picture(0.0)) is ANALYSING
    assert camera.picture(0.04) is None
    change = camera.lost("拔线", 100.0)
    assert (change.status, change.reason) == (RECONNECTING, "拔线")
    assert camera.lost("refused", 110.0) is None
    assert camera.reason == "refused"
    assert camera.tick(159.9) is None
    change = camera.tick(160.0)
    assert (change.status, change.reason) == (DISCONNECTED, "refused")
    assert camera.tick(200.0) is None
    assert camera.lost("refused", 230.0) is None
    change = camera.picture(240.0)
    assert (change.status, change.reason) == (ANALYSING, "")
    assert status_of(camera.ended("done")) is NOT_STARTED


def test_the_time_to_disconnected_counts_from_the_loss_not_from_the_last_attempt():
    camera = policy(disconnected_after_s=30.0)
    camera.picture(0.0)
    camera.lost("a", 10.0)
    assert camera.disconnected_at_s == 40.0
    assert status_of(camera.lost("b", 45.0)) is DISCONNECTED
    assert camera.disconnected_at_s is None


def test_a_camera_that_never_answered_reconnects_and_disconnects_too():
    camera = policy()
    assert status_of(camera.lost("refused", 5.0)) is RECONNECTING
    assert status_of(camera.tick(65.0)) is DISCONNECTED


def test_waiting_grows_to_its_limit_and_never_ends():
    camera = policy()
    delays = [camera.next_delay_s(permanent=False) for _ in range(2000)]
    for attempt, delay in enumerate(delays):
        limit = min(60.0, 1.5 ** min(attempt, 60))
        assert limit / 2 <= delay <= limit
    assert len({round(delay, 3) for delay in delays[12:]}) > 1000, "there is jitter"


def test_permanent_errors_are_tried_again_slowly():
    camera = policy()
    assert all(30.0 <= camera.next_delay_s(permanent=True) <= 60.0 for _ in range(20))


def test_only_a_stable_connection_resets_the_waiting():
    camera = policy(stable_after_s=10.0)
    for _ in range(10):
        camera.next_delay_s(permanent=False)
    camera.picture(0.0)
    camera.picture(3.0)
    camera.lost("flapping", 3.1)
    assert camera.next_delay_s(permanent=False) > 20.0
    camera.picture(10.0)
    camera.picture(20.0)
    camera.lost("gone", 20.1)
    assert camera.next_delay_s(permanent=False) <= 1.0


@pytest.mark.parametrize("settings", [{"first_delay_s": 0}, {"max_delay_s": 0.5}, {"disconnected_after_s": 0}, {"growth": 0.5}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError):
        ReconnectConfig(**settings)
