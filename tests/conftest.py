"""Shared fixtures: where the real data is, weights, one Ray for the tests that need it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real clips; skips the test where it is absent."""
    folder = Path(os.environ.get("WAYSIDE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "video").is_dir():
        pytest.skip(f"no real clips at {folder} (WAYSIDE_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def weights_store():
    """The store with the default weights; skips where they are not pulled."""
    from models.errors import ModelError
    from models.store import WeightsStore

    store = WeightsStore(Path(os.environ.get("WAYSIDE_MODELS_DIR", "~/.cache/wayside/models")).expanduser())
    try:
        store.verify("picodet-s")
    except ModelError as error:
        pytest.skip(str(error))
    return store


@pytest.fixture(autouse=True)
def no_ray_in_unit_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test in which Ray gets initialised fails: it would be slow and depend on the machine."""
    yield
    if request.node.get_closest_marker("ray") is None:
        import sys

        ray = sys.modules.get("ray")
        assert ray is None or not ray.is_initialized(), "this unit test started Ray; mark it 'ray'"
