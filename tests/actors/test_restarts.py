"""When a camera whose process died is started again."""

from actors.restarts import RestartPolicy


def test_the_first_start_after_a_death_is_at_once_then_ever_later() -> None:
    policy, now_s, waits = RestartPolicy(), 100.0, []
    for _ in range(10):
        waits.append(policy.died("a", now_s, lived_s=2.0))
        assert policy.may_start("a", now_s + waits[-1])
        assert waits[-1] == 0 or not policy.may_start("a", now_s + waits[-1] - 0.1)
        now_s += waits[-1] + 2
    assert waits[:5] == [0.0, 1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == 60.0


def test_a_long_life_begins_the_row_anew_and_cameras_do_not_share_it() -> None:
    policy = RestartPolicy()
    for _ in range(5):
        policy.died("a", 0.0, lived_s=1.0)
    assert policy.may_start("b", 0.0)
    assert policy.died("a", 1000.0, lived_s=61.0) == 0.0
    assert policy.died("a", 1001.0, lived_s=1.0) == 1.0


def test_nothing_is_kept_of_tasks_that_are_no_more() -> None:
    policy = RestartPolicy()
    for num in range(1000):
        policy.died(str(num), 0.0, lived_s=1.0)
        policy.died(str(num), 0.0, lived_s=1.0)
    policy.keep({"7"})
    assert not policy.may_start("7", 0.5)
    assert policy.may_start("8", 0.5)
    assert (len(policy._deaths), len(policy._not_before)) == (1, 1)
