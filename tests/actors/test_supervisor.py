"""What the supervisor decides."""

from actors.ports import TaskRef, TaskSpec
from actors.supervisor import plan, postponed


def spec(num: str, revision: str = "1", enabled: bool = True) -> TaskSpec:
    ref = TaskRef(task_id=1, task_num=num, task_name="t", src_address="x", time_zone="UTC")
    return TaskSpec(
        ref=ref, scene=None, analysed_fps=0, rtsp_transport="tcp", loop=False, start_time_s=None, enabled=enabled,
        revision=revision,
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
    todo, later = postponed(plan(wanted, running), running, 2)
    assert (todo.stop, later) == (("gone",), 2)
    assert [item.ref.task_num for item in todo.change] == ["a", "b", "e"]
    todo, later = postponed(plan(wanted, running), running, -3)
    assert ([item.ref.task_num for item in todo.change], later) == (["e"], 4)


def test_a_start_is_never_postponed() -> None:
    todo, later = postponed(plan([spec("a", "1.1@new")], {}), {}, 0)
    assert ([item.ref.task_num for item in todo.start], later) == (["a"], 0)
