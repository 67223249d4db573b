"""Alone is who hears neither of the database nor of the cluster."""

from actors.isolation import Isolation


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def asked(isolation: Isolation) -> None:
    isolation.ask()
    assert isolation._asking is not None
    isolation._asking.join(10)


def test_a_silence_of_the_database_alone_is_no_isolation() -> None:
    clock, answers = Clock(), [True]
    isolation = Isolation(20.0, lambda: answers[0], clock)
    clock.now_s = 20.0
    assert not isolation.cut_off
    clock.now_s = 30.0
    assert isolation.cut_off
    asked(isolation)
    assert not isolation.cut_off, "the cluster has answered"
    answers[0] = False
    clock.now_s = 51.0
    asked(isolation)
    assert isolation.cut_off
    isolation.heard()
    assert not isolation.cut_off, "the database is back"


def test_without_a_limit_nobody_is_cut_off() -> None:
    clock = Clock()
    isolation = Isolation(0.0, lambda: False, clock)
    clock.now_s = 1e9
    assert not isolation.cut_off
