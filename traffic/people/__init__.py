"""People: in and out over lines and regions, density, crowds. See docs/parameters.md."""

from traffic.people.cell import PeopleCell
from traffic.people.config import PeopleConfig
from traffic.people.crowd import CrowdMonitor
from traffic.people.sampler import PeopleSampler, region_area_m2
from traffic.people.summary import people_parameters
from traffic.scene.crowd import CrowdRule

__all__ = [
    "CrowdMonitor",
    "CrowdRule",
    "PeopleCell",
    "PeopleConfig",
    "PeopleSampler",
    "people_parameters",
    "region_area_m2",
]
