"""The envelopes of what the detectors state: pictures with a box, paths of their own, stable names."""

from dataclasses import replace

import av
import cv2
import numpy as np
import pytest

from actors.decoding import DecodedFrame
from actors.evidence.config import EvidenceConfig
from actors.evidence.events import EventStage
from tests.actors.evidence.test_clip_keeper import EVENT, TASK
from traffic.events.observations import FrameEvidence
from traffic.facts import CrowdAlarm, EventKind, EventPhase

AT = 1_551_629_011.532  # 2019-03-04 00:03:31.532 in Shanghai
ALARM = CrowdAlarm(
    region_code=3, region_name="", time_s=AT, since_s=AT - 10, origin_s=AT - 10,
    people_num=9, area_m2=None, density_per_m2=None, repeat=0,
    box=(20.0, 20.0, 60.0, 60.0),
)  # fmt: skip


def grey(time_s: float = AT) -> DecodedFrame:
    picture = av.VideoFrame.from_ndarray(np.full((120, 200, 3), 120, np.uint8), format="rgb24")
    return DecodedFrame(index=0, pts_s=0.0, time_s=time_s, frame=picture, width=200, height=120, key_frame=True, rotation=0)


class Scripted:
    """Detectors that state what they are told."""

    def __init__(self) -> None:
        self.next: list = []
        self.active, self.paused_reason = (), ""

    def update(self, time_s, frame_size, tracks, analyzer, passages, evidence):
        assert isinstance(evidence, FrameEvidence)
        stated, self.next = tuple(self.next), []
        return stated

    def finish(self):
        return (replace(EVENT, phase=EventPhase.CLOSED),)


class Stage:
    def __init__(self, **settings) -> None:
        self.pictures: dict[str, bytes] = {}
        self.detectors = Scripted()
        self.stage = EventStage(
            TASK, self.detectors, None, self._save, EvidenceConfig(**settings), jpeg_quality=90, crop_margin=0.1
        )

    def _save(self, path, encode):
        assert path not in self.pictures
        self.pictures[path] = encode()
        return path

    def state(self, *events):
        self.detectors.next = list(events)
        return self.stage.advance(grey(), (), None, ())


def decoded(data: bytes):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def at(**changes):
    return replace(EVENT, time_s=AT, box=(80.0, 40.0, 120.0, 80.0), frame_size=(200, 120), **changes)


def test_an_event_has_the_protocols_paths_and_a_box_around_its_object() -> None:
    made = Stage()
    (envelope,) = made.state(at())
    assert envelope.large_picture == "image/2019_03/04/1/wrong_way/large/1_wrong_way_large_20190304000331532.jpg"
    assert envelope.small_picture == "image/2019_03/04/1/wrong_way/small/1_wrong_way_small_20190304000331532.jpg"
    assert envelope.clip == "video/2019_03/04/1/wrong_way/1_wrong_way_20190304000331532.mp4"
    large = decoded(made.pictures[envelope.large_picture])
    assert large.shape == (120, 200, 3)
    blue, _, red = large[60, 78].astype(int)
    assert red - blue > 100, "the left edge of the box"
    assert abs(int(large[60, 100, 2]) - 120) < 12, "the object itself is untouched"
    assert decoded(made.pictures[envelope.small_picture]).shape == (48, 48, 3)


def test_the_box_and_the_clip_can_be_switched_off() -> None:
    made = Stage(boxed=False, clips=False)
    (envelope,) = made.state(at())
    assert envelope.clip == ""
    assert np.ptp(decoded(made.pictures[envelope.large_picture]).astype(int)) < 12


def test_events_of_one_moment_have_files_of_their_own_and_names_that_stay() -> None:
    first, again = Stage(), Stage()
    events = [at(event_id=name) for name in "abc"] + [at(event_id="d", kind=EventKind.PEDESTRIAN)]
    envelopes = first.state(*events)
    assert len({envelope.clip for envelope in envelopes}) == 4
    assert len(first.pictures) == 8
    assert [e.fact_id for e in envelopes] == [e.fact_id for e in again.state(*events)]
    assert len({e.fact_id for e in envelopes}) == 4


def test_every_phase_is_a_fact_of_its_own_and_an_end_needs_no_picture() -> None:
    made = Stage()
    raised, upgraded, closed = made.state(
        at(), at(phase=EventPhase.UPGRADED, kind=EventKind.ACCIDENT), at(phase=EventPhase.CLOSED, kind=EventKind.ACCIDENT)
    )
    assert len({raised.fact_id, upgraded.fact_id, closed.fact_id}) == 3
    assert "accident" in upgraded.large_picture
    assert (closed.large_picture, closed.small_picture, closed.clip) == ("", "", "")
    assert made.stage.stated == 2


def test_the_end_of_the_video_ends_what_is_open_once() -> None:
    made = Stage()
    assert [envelope.fact.phase for envelope in made.stage.end()] == [EventPhase.CLOSED]
    assert made.stage.end() == ()


def test_a_crowd_alarm_has_picture_and_clip_of_event_1008() -> None:
    made = Stage()
    envelope = made.stage.wrap_alarm(ALARM, grey())
    assert envelope.large_picture.startswith("image/2019_03/04/1/crowd/large/")
    assert envelope.clip.startswith("video/2019_03/04/1/crowd/1_crowd_")
    repeated = made.stage.wrap_alarm(replace(ALARM, repeat=1, time_s=AT + 60), grey())
    assert repeated.fact_id != envelope.fact_id


@pytest.mark.parametrize("box", [(0.0, 0.0, 0.0, 0.0), (-50.0, -50.0, 500.0, 500.0), (190.0, 110.0, 200.0, 120.0)])
def test_any_box_makes_a_picture(box) -> None:
    made = Stage()
    (envelope,) = made.state(replace(at(), box=box))
    assert decoded(made.pictures[envelope.large_picture]).shape == (120, 200, 3)
    assert decoded(made.pictures[envelope.small_picture]).size
