import time
from types import SimpleNamespace

import pytest
from decoding_clips import number_of, picture

import actors.simulation
from actors.decoding import SourceOptions, open_source
from actors.errors import SourceError

ADDRESS = "sim://approach?seed=3&width=320&height=180&fps=25&duration_s=0.4"


@pytest.fixture
def quick_camera(monkeypatch):
    """A camera that draws numbers instead of traffic."""

    class NumberCamera:
        def __init__(self, settings):
            self._settings = settings

        def frames(self):
            for n in range(round(self._settings.duration_s * self._settings.fps)):
                image = picture(n, self._settings.width, self._settings.height)
                yield SimpleNamespace(index=n, time_s=n / self._settings.fps, image=image)

    monkeypatch.setattr(actors.simulation, "SimulatedCamera", NumberCamera)


def test_the_simulated_camera_draws_what_the_source_hands_out():
    address = ADDRESS.replace("duration_s=0.4", "duration_s=0.08")
    with open_source(address, SourceOptions(start_time_s=500.0)) as source:
        frames = list(source)
    camera = actors.simulation.SimulatedCamera(actors.simulation.parse_address(address))
    expected = list(camera.frames())
    assert len(frames) == len(expected) == 2
    assert [(frame.index, frame.pts_s) for frame in frames] == [(frame.index, frame.time_s) for frame in expected]
    assert (frames[1].frame.to_ndarray() == expected[1].image).all()


@pytest.mark.usefixtures("quick_camera")
def test_a_limited_simulation_is_a_recording():
    with open_source(ADDRESS, SourceOptions(start_time_s=500.0)) as source:
        frames = list(source)
    assert (source.info.live, source.info.total_frames, source.info.duration_s) == (False, 10, 0.4)
    assert [frame.time_s for frame in frames] == pytest.approx([500.0 + n / 25 for n in range(10)])
    assert [number_of(frame) for frame in frames] == list(range(10))


@pytest.mark.usefixtures("quick_camera")
def test_a_live_simulation_is_paced_and_rate_limited():
    with open_source(ADDRESS, SourceOptions(realtime=True, analysed_fps=5)) as source:
        assert source.info.live
        first = next(source)
        started = time.monotonic()
        rest = list(source)
        assert time.monotonic() - started >= 0.35
    assert [frame.index for frame in (first, *rest)] == [0, 5]
    assert source.counters.skipped == 8


@pytest.mark.parametrize("address", ["sim://nowhere", "sim://approach?flow=many", "sim://approach?colour=red"])
def test_impossible_simulations_are_refused(address):
    with pytest.raises(SourceError) as caught:
        open_source(address)
    assert caught.value.permanent
