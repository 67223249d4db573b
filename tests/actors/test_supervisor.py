"""What the supervisor decides."""

from actors.ports import TaskRef, TaskSpec
from actors.supervisor import plan


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
