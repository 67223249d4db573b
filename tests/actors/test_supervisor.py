"""What the supervisor decides."""

from types import SimpleNamespace
from typing import Any

import pytest

from actors import supervisor
from actors.placement import WAITING_FOR_ROOM
from actors.ports import TaskRef, TaskSpec
from actors.restarts import RestartConfig, RestartPolicy
from actors.supervisor import SupervisorActor, hung, plan, postponed


def spec(num: str, revision: str = "1", enabled: bool = True, site: str = "") -> TaskSpec:
    ref = TaskRef(task_id=1, task_num=num, task_name="t", src_address="x", time_zone="UTC")
    return TaskSpec(
        ref=ref, scene=None, analysed_fps=0, rtsp_transport="tcp", loop=False, start_time_s=None, enabled=enabled,
        revision=revision, site=site,
    )  # fmt: skip


def test_starts_what_is_enabled_and_stops_what_is_not() -> None:
    todo = plan([spec("a"), spec("b", enabled=False), spec("c", "2")], {"b": "1", "c": "1", "gone": "1"})
    assert todo.stop == ("b", "gone")
    assert [item.ref.task_num for item in todo.change] == ["c"]
    assert [item.ref.task_num for item in todo.start] == ["a"]


def test_nothing_to_do_when_all_is_as_it_should_be() -> None:
    todo = plan([spec("a"), spec("b", enabled=False)], {"a": "1"})
    assert (todo.stop, todo.change, todo.start) == ((), (), ())


def test_a_new_generation_renews_few_at_a_time_and_edits_at_once() -> None:
    running = dict.fromkeys("abcde", "1.1@old") | {"gone": "1.1@old"}
    wanted = [spec(num, "1.1@new") for num in "abcd"] + [spec("e", "1.2@new")]
    todo, later = postponed(plan(wanted, running), running, {}, 2)
    assert (todo.stop, later) == (("gone",), 2)
    assert [item.ref.task_num for item in todo.change] == ["a", "b", "e"]
    todo, later = postponed(plan(wanted, running), running, {"": 5}, 2)
    assert ([item.ref.task_num for item in todo.change], later) == (["e"], 4)


def test_cameras_that_wait_for_room_at_one_site_keep_no_other_site_on_the_old_version() -> None:
    running = dict.fromkeys("abcd", "1.1@old")
    wanted = [spec(num, "1.1@new", site="north") for num in "ab"] + [spec(num, "1.1@new", site="south") for num in "cd"]
    todo, later = postponed(plan(wanted, running), running, {"north": 2, "south": 1}, 2)
    assert ([item.ref.task_num for item in todo.change], later) == (["c"], 3)


def test_a_start_is_never_postponed() -> None:
    todo, later = postponed(plan([spec("a", "1.1@new")], {}), {}, {"": 9}, 2)
    assert ([item.ref.task_num for item in todo.start], later) == (["a"], 0)


def test_a_silent_camera_hangs_and_a_machine_that_is_too_slow_does_not_look_like_it() -> None:
    assert hung({"a": 15.1, "b": 14.9}, 4, 15.0, 60.0) == ["a"]
    assert hung({"a": 15.1}, 1, 15.0, 60.0) == ["a"]
    assert hung({"a": 20.0, "b": 20.0}, 4, 15.0, 60.0) == ["a", "b"]
    assert hung({"a": 20.0, "b": 20.0, "c": 20.0}, 4, 15.0, 60.0) == [], "most of them: it is the machine"
    assert hung({"a": 61.0, "b": 20.0, "c": 60.0}, 4, 15.0, 60.0) == ["a"]


class Shell(SupervisorActor):
    """The supervisor's decisions without its loop, its database and Ray."""

    def __init__(self, starting_at_once: int) -> None:
        self._config: Any = SimpleNamespace(starting_at_once=starting_at_once)
        self._restarts = RestartPolicy(RestartConfig())
        self._running, self._health = {}, {}
        self._store: Any = SimpleNamespace(begin_lives=lambda nums: dict.fromkeys(nums, 7))
        self.started: list[str] = []

    def _start_camera(self, spec: TaskSpec) -> None:
        assert spec.ref.life == 7
        self.started.append(spec.ref.task_num)
        self._running[spec.ref.task_num] = supervisor._Camera("1", None, 0.0)

    def reasons(self) -> dict[str, str]:
        return {num: health.reason for num, health in self._health.items()}


def test_a_site_that_is_away_or_full_holds_up_no_other_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "sites_in_cluster", lambda: frozenset({"south"}))
    tasks = [spec(f"n{index}", site="north") for index in range(3)]
    tasks += [spec(f"s{index}", site="south") for index in range(3)] + [spec("any")]
    shell = Shell(starting_at_once=2)
    shell._start_cameras(tasks, {item.ref.task_num: item.site for item in tasks})
    assert shell.started == ["s0", "s1", "any"]
    told = shell.reasons()
    assert told["s2"] == WAITING_FOR_ROOM
    assert shell._full, "so the next look comes as soon as one of them answers"
    assert {num for num, reason in told.items() if "north" in reason} == {"n0", "n1", "n2"}


def test_a_task_starts_when_a_machine_of_its_site_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    sites: set[str] = set()
    monkeypatch.setattr(supervisor, "sites_in_cluster", lambda: frozenset(sites))
    shell, task = Shell(starting_at_once=2), spec("a", site="north")
    shell._start_cameras([task], {"a": "north"})
    assert shell.started == []
    sites.add("north")
    shell._start_cameras([task], {"a": "north"})
    assert shell.started == ["a"]


def test_the_cluster_is_not_asked_for_its_machines_when_no_task_has_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "sites_in_cluster", lambda: pytest.fail("asked"))
    shell = Shell(starting_at_once=2)
    shell._start_cameras([spec("a")], {"a": "", "b": "north"})
    assert shell.started == ["a"]


def test_a_look_at_a_few_tasks_is_answered_with_those() -> None:
    shell = Shell(starting_at_once=0)
    shell._start_cameras([spec("a"), spec("b"), spec("c")], {})
    assert shell._health.keys() == {"a", "b", "c"}
    assert shell.health(["b", "gone"]).keys() == {"b"}
    assert shell.health().keys() == {"a", "b", "c"}


def test_tasks_whose_camera_does_not_answer_are_missing() -> None:
    shell = Shell(starting_at_once=9)
    shell._tasks = {num: spec(num) for num in ("starts", "well", "asked", "silent", "waits")}
    cameras = {num: supervisor._Camera("1", None, 0.0, answered=num != "starts") for num in ("starts", "well", "asked", "silent")}
    for num, at in (("asked", 98.0), ("silent", 90.0)):
        cameras[num].asked, cameras[num].asked_at = object(), at
    shell._running = cameras
    assert shell._missing(100.0) == 3, "the one that starts, the silent one and the one that waits"
