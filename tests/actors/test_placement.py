"""Where cameras may run, and what a task says that has no place."""

import pytest

from actors.placement import WAITING_FOR_ROOM, Machine, camera_options, is_site, machines_of, obstacle, off_the_head

COMMON = {"num_cpus": 0.25, "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}}}


def test_a_task_of_a_site_asks_for_the_label_and_others_ask_for_none() -> None:
    assert camera_options(COMMON, "north") == {"scheduling_strategy": "SPREAD", "label_selector": {"site": "north"}, **COMMON}
    assert camera_options(COMMON, "") == {"scheduling_strategy": "SPREAD", **COMMON}
    assert camera_options({"scheduling_strategy": "DEFAULT"}, "")["scheduling_strategy"] == "DEFAULT", (
        "the installation's own win"
    )


@pytest.mark.parametrize("site", ["north", "A", "7", "north-gate_2.b", "in", "a" * 63])
def test_ray_takes_every_site_that_we_take(site: str) -> None:
    import ray

    assert is_site(site)
    ray.remote(type("Camera", (), {})).options(**camera_options(COMMON, site))  # Ray checks options here, without a cluster


@pytest.mark.parametrize("site", ["", "-a", "a-", "a b", "a/b", "!a", "in(a,b)", "北", "a" * 64, "a\n"])
def test_what_ray_would_refuse_or_take_for_an_expression_is_no_site(site: str) -> None:
    assert not is_site(site)


def test_only_machines_that_live_count() -> None:
    nodes = [
        {"NodeID": "1", "Alive": True, "Resources": {"CPU": 8.0}, "Labels": {"ray.io/node-id": "1", "site": "north"}},
        {"NodeID": "2", "Alive": False, "Resources": {"CPU": 8.0}, "Labels": {"site": "south"}},
        {"NodeID": "3", "Alive": True, "Resources": {}, "Labels": None},
        {"NodeID": "4", "Alive": True, "Resources": {"CPU": 2}},
    ]
    assert machines_of(nodes) == [
        Machine(node_id="1", cpus=8, site="north"),
        Machine(node_id="3", cpus=0, site=""),
        Machine(node_id="4", cpus=2, site=""),
    ]


def test_a_camera_that_is_moved_asks_for_its_machine_and_takes_another_of_its_site() -> None:
    import ray

    options = camera_options(COMMON, "north", "abc")
    assert options["label_selector"] == {"site": "north", "ray.io/node-id": "abc"}
    assert options["fallback_strategy"] == [{"label_selector": {"site": "north"}}]
    assert "scheduling_strategy" not in options
    for site in ("north", ""):
        ray.remote(type("Camera", (), {})).options(**camera_options(COMMON, site, "abc"))


def test_a_site_without_a_machine_is_told_by_name_and_a_full_one_as_full() -> None:
    assert "north" in obstacle("north", 0, 16, ())
    assert "no machine" in obstacle("north", 0, 16, {"south"})
    assert obstacle("north", 15, 16, {"north"}) == ""
    assert obstacle("north", 16, 16, {"north"}) == WAITING_FOR_ROOM
    assert obstacle("", 0, 16, ()) == ""
    assert obstacle("", 16, 16, ()) == WAITING_FOR_ROOM


HEAD = {"Alive": True, "NodeID": "a1", "Resources": {"node:__internal_head__": 1.0}}
OTHER = {"Alive": True, "NodeID": "b2", "Resources": {"CPU": 8.0}}


def test_what_should_outlive_the_head_is_put_elsewhere_where_there_is_an_elsewhere() -> None:
    import ray

    options = off_the_head([HEAD, OTHER])
    assert options == {"label_selector": {"ray.io/node-id": "!a1"}, "fallback_strategy": [{"label_selector": {}}]}
    ray.remote(type("Pusher", (), {})).options(**options)  # Ray checks options here, without a cluster
    assert off_the_head([HEAD]) == off_the_head([HEAD, {**OTHER, "Alive": False}]) == off_the_head([]) == {}
