"""Which camera goes to which machine, and when none does."""

from collections import Counter

from actors.balance import Balance, BalanceConfig, Move, Placed, next_move
from actors.placement import Machine

CONFIG = BalanceConfig(settle_s=60, period_s=5, again_s=600)


def placed(layout: dict[str, int], site: str = "", movable: bool = True) -> dict[str, Placed]:
    """Cameras "a0", "a1", … on machine "a" and so on."""
    return {
        f"{node}{index:03}": Placed(machine=node, site=site, movable=movable)
        for node, count in layout.items()
        for index in range(count)
    }


def machines(**cpus: float) -> list[Machine]:
    return [Machine(node_id=node, cpus=count) for node, count in cpus.items()]


def evened(layout: dict[str, int], nodes: list[Machine], config: BalanceConfig = CONFIG) -> dict[str, int]:
    """Where the cameras are when no move is left."""
    cameras, everything = placed(layout), frozenset(node.node_id for node in nodes)
    for _ in range(1000):
        move = next_move(cameras, nodes, frozenset(cameras), everything, config)
        if move is None:
            return dict(Counter(camera.machine for camera in cameras.values()))
        old = cameras[move.task_num]
        cameras[move.task_num] = Placed(machine=move.machine, site=old.site, movable=old.movable)
    raise AssertionError("goes on for ever")


def test_an_empty_machine_takes_its_share_and_then_nothing_moves() -> None:
    assert evened({"a": 4}, machines(a=1, b=1)) == {"a": 2, "b": 2}
    assert evened({"a": 3, "b": 2}, machines(a=1, b=1)) == {"a": 3, "b": 2}
    assert evened({"a": 2}, machines(a=1, b=1)) == {"a": 1, "b": 1}
    assert evened({"a": 1}, machines(a=1, b=1)) == {"a": 1}
    thirds = evened({"a": 100, "b": 100}, machines(a=8, b=8, c=8))
    assert sum(thirds.values()) == 200
    assert max(thirds.values()) - min(thirds.values()) <= 7


def test_a_machine_takes_by_its_cpus_and_one_without_any_takes_none() -> None:
    assert evened({"a": 12}, machines(a=2, b=4)) == {"a": 4, "b": 8}
    assert evened({"a": 12}, machines(a=2, head=0)) == {"a": 12}


def test_a_machine_takes_no_more_than_it_could_hold() -> None:
    config = BalanceConfig(camera_cpus=0.8)
    assert evened({"a": 4}, machines(a=4, b=1), config) == {"a": 4}, "one of four CPUs is even already"
    assert evened({"a": 9}, machines(a=8, b=1.5), config) == {"a": 8, "b": 1}
    cards = [Machine(node_id="a", cpus=4, gpus=1), Machine(node_id="b", cpus=4)]
    assert evened({"a": 4}, cards, BalanceConfig(camera_gpus=0.1)) == {"a": 4}


def test_cameras_of_a_site_stay_in_it() -> None:
    nodes = [
        Machine(node_id="n1", cpus=4, site="north"),
        Machine(node_id="n2", cpus=4, site="north"),
        Machine(node_id="s", cpus=4),
    ]
    cameras = placed({"n1": 4}, site="north")
    takers = frozenset({"n2", "s"})
    assert next_move(cameras, nodes, frozenset(cameras), takers, CONFIG) == Move(task_num="n1000", machine="n2")
    assert next_move(cameras, nodes, frozenset(cameras), frozenset({"s"}), CONFIG) is None


def test_recordings_and_cameras_with_an_incident_stay() -> None:
    balance = Balance(CONFIG)
    nodes = machines(a=1, b=1)
    balance.look(0, nodes, {})
    assert balance.look(100, nodes, placed({"a": 4}, movable=False)) is None
    assert balance.look(110, nodes, placed({"a": 4})) == Move(task_num="a000", machine="b")


def test_a_machine_takes_cameras_when_it_has_been_there_for_a_while() -> None:
    balance, cameras = Balance(CONFIG), placed({"a": 4})
    assert balance.look(0, machines(a=1), cameras) is None
    assert balance.look(100, machines(a=1, b=1), cameras) is None, "it has just come"
    assert balance.look(150, machines(a=1), cameras) is None, "it went"
    assert balance.look(155, machines(a=1, b=1), cameras) is None, "and came again"
    assert balance.look(214, machines(a=1, b=1), cameras) is None
    assert balance.look(216, machines(a=1, b=1), cameras) is not None


def test_a_camera_is_not_moved_again_soon() -> None:
    balance, nodes = Balance(CONFIG), machines(a=1, b=1)
    balance.look(0, nodes, {})
    assert balance.look(100, nodes, placed({"a": 2})) == Move(task_num="a000", machine="b")
    there = placed({"a": 2}) | {"a000": Placed(machine="b", site="", movable=True)}
    assert balance.look(110, nodes, there) is None
    gone = {"a000": Placed(machine="b", site="", movable=True), "a001": Placed(machine="b", site="", movable=True)}
    assert balance.look(120, nodes, gone) == Move(task_num="a001", machine="a"), "the other one may"


def test_a_machine_that_had_no_room_is_not_asked_again_soon() -> None:
    balance, nodes, cameras = Balance(CONFIG), machines(a=1, b=1), placed({"a": 4})
    balance.look(0, nodes, {})
    assert balance.look(100, nodes, cameras) is not None
    assert balance.look(110, nodes, cameras) is None, "the camera is still where it was"
    assert balance.look(709, nodes, cameras) is None
    assert balance.look(711, nodes, cameras) is not None


def test_a_look_is_due_every_few_seconds_and_never_when_switched_off() -> None:
    balance = Balance(CONFIG)
    assert balance.due(0)
    balance.look(0, [], {})
    assert not balance.due(4.9)
    assert balance.due(5)
    assert not Balance(BalanceConfig(enabled=False)).due(1e9)
