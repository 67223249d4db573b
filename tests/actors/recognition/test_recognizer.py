"""Facts wait for looks: order, time, outages, and one plate for one vehicle."""

import math
import threading
from concurrent.futures import Future

import pytest

from actors.ports import FactEnvelope
from actors.recognition import InlineDesk, RecognitionConfig, RecognitionServices, Recognizer, ThreadedDesk
from actors.recognition.desk import Findings, Job
from actors.recognition.voting import vote
from models.handles import Attributes, RecognitionFailedError
from tests.actors.recognition.support import CONTEXT, Looks, Plates, frame, passage, read, track
from traffic.facts import VehicleLooks
from traffic.types import TrackId, TrackState

CONFIG = RecognitionConfig(linger_s=0.4, patience_s=0.5, remembered=8)
BOX = (100.0, 100.0, 200.0, 200.0)
SAVED = "image/2026_11/24/7/plate/small/p.jpg"


def own(text: str, confidence: float = 0.9) -> Plates:
    """Reads this plate in the lower middle of every picture."""
    return Plates(lambda image: [read(text, confidence, (image.shape[1] / 2, image.shape[0] * 0.8))])


def recognizer(desk: object, saved: list[bytes] | None = None) -> Recognizer:
    def save(envelope: FactEnvelope, jpeg: bytes) -> str:
        (saved if saved is not None else []).append(jpeg)
        return SAVED

    return Recognizer(desk, CONFIG, save)  # type: ignore[arg-type]


def inline(plates: Plates | None, looks: Looks | None = None) -> InlineDesk:
    services = RecognitionServices(
        connect_plates=(lambda: plates) if plates else None,  # type: ignore[arg-type, return-value]
        connect_attributes=(lambda: looks) if looks else None,  # type: ignore[arg-type, return-value]
    )
    return InlineDesk(services, CONFIG)


class HandDesk:
    """Jobs end when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Job, Future[Findings]]] = []

    def submit(self, job: Job) -> "Future[Findings]":
        future: Future[Findings] = Future()
        self.jobs.append((job, future))
        return future

    def close(self) -> None: ...

    def answer(self, number: int, text: str, confidence: float = 0.9) -> None:
        self.jobs[number][1].set_result(Findings(vote=vote([read(text, confidence)])))


def test_a_passage_gets_the_looks_of_its_vehicle_once_it_can_be_seen_no_better() -> None:
    saved: list[bytes] = []
    plates, looks = own("皖A12345", 0.7), Looks()
    work = recognizer(inline(plates, looks), saved)
    for step in range(4):
        work.observe(frame(step * 0.2), [track(1, BOX, step * 0.2)])
    work.hold(passage(1, 0.6), 0.6, TrackId(1), CONTEXT)
    assert work.release(0.7) == ()
    (ready,) = work.release(1.0)
    assert (ready.looks.plate_num, ready.looks.plate_color) == ("皖A12345", 1)
    assert (ready.looks.vehicle_type, ready.looks.vehicle_color) == (1, 5)
    assert ready.plate_picture == SAVED
    assert saved[0].startswith(b"\xff\xd8")
    assert plates.calls == [2, 2]
    assert looks.contexts == [CONTEXT]
    assert work.looks_of(TrackId(1)).plate_num == "皖A12345"
    assert work.waiting == 0


def test_a_sure_plate_is_read_on_the_best_pictures_only() -> None:
    plates = own("皖A12345", 0.96)
    work = recognizer(inline(plates))
    for step in range(4):
        work.observe(frame(step * 0.2), [track(1, BOX, step * 0.2)])
    work.hold(passage(1, 0.6), 0.6, TrackId(1), CONTEXT)
    assert work.release(1.0)[0].looks.plate_num == "皖A12345"
    assert plates.calls == [2]


def test_a_small_plate_is_not_read_on_ever_smaller_pictures() -> None:
    small = Plates(lambda image: [read("皖A12345", 0.7, (image.shape[1] / 2, image.shape[0] * 0.8), legible=0.75)])
    work = recognizer(inline(small))
    for step in range(4):
        work.observe(frame(step * 0.2), [track(1, BOX, step * 0.2)])
    work.hold(passage(1, 0.6), 0.6, TrackId(1), CONTEXT)
    assert work.release(1.0)[0].looks.plate_num == "皖A12345"
    assert small.calls == [2]


def test_pictures_from_before_the_track_carried_this_vehicle_are_not_its_own() -> None:
    plates = own("皖A12345", 0.96)
    work = recognizer(inline(plates))
    for step in range(4):
        work.observe(frame(step * 0.2), [track(1, BOX, step * 0.2)])
    work.renew(TrackId(1), 0.55)
    work.hold(passage(1, 0.6), 0.6, TrackId(1), CONTEXT)
    work.release(1.0)
    assert plates.calls == [1]


def test_a_vehicle_that_left_is_read_at_once() -> None:
    work = recognizer(inline(own("皖A12345")))
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.observe(frame(0.1), [track(1, BOX, 0.1, state=TrackState.DELETED)])
    work.hold(passage(1, 0.1), 0.1, TrackId(1), CONTEXT)
    (ready,) = work.release(0.1)
    assert ready.looks.plate_num == "皖A12345"


def test_while_no_frames_come_nothing_waits_for_better_ones() -> None:
    work = recognizer(inline(own("皖A12345")))
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.hold(passage(1, 0.0), 0.0, TrackId(1), CONTEXT)
    assert work.release(0.0) == ()
    assert work.release(math.inf)[0].looks.plate_num == "皖A12345"


def test_order_is_kept_and_other_facts_wait_their_turn() -> None:
    desk = HandDesk()
    work = recognizer(desk)
    work.observe(frame(0.0), [track(1, BOX, 0.0), track(2, (300, 100, 400, 200), 0.0)])
    work.hold(passage(1), 0.0, TrackId(1), CONTEXT)
    work.hold(passage(2), 0.0, TrackId(2), CONTEXT)
    work.hold(passage(3), 0.0)
    assert work.release(1.0) == ()
    desk.answer(1, "京B22222")
    assert work.release(1.0) == ()
    desk.answer(0, "京A11111")
    assert [item.fact_id for item in work.release(1.0)] == ["f1-1.0", "f2-1.0", "f3-1.0"]


def test_a_doubtful_plate_is_empty_and_has_no_picture() -> None:
    work = recognizer(inline(own("皖A12345", 0.3)))
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.hold(passage(1), 0.0, TrackId(1), CONTEXT)
    (ready,) = work.release(1.0)
    assert (ready.looks, ready.plate_picture) == (VehicleLooks(), "")


def test_a_neighbours_plate_in_the_picture_is_not_taken() -> None:
    roof = Plates(lambda image: [read("京A99999", 0.95, (image.shape[1] / 2, image.shape[0] * 0.15))])
    work = recognizer(inline(roof))
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.hold(passage(1), 0.0, TrackId(1), CONTEXT)
    assert work.release(1.0)[0].looks.plate_num == ""


def test_one_plate_belongs_to_the_vehicle_that_shows_it_better() -> None:
    cases = ((0.6, 0.9, ["", "京A11111"]), (0.9, 0.6, ["京A11111", ""]), (0.8, 0.8, ["京A11111", ""]))
    for first, second, expected in cases:
        desk = HandDesk()
        work = recognizer(desk)
        work.observe(frame(0.0), [track(1, BOX, 0.0), track(2, (300, 100, 400, 200), 0.0)])
        work.hold(passage(1), 0.0, TrackId(1), CONTEXT)
        work.hold(passage(2), 0.0, TrackId(2), CONTEXT)
        work.release(1.0)
        desk.answer(0, "京A11111", first)
        desk.answer(1, "京A11111", second)
        assert [item.looks.plate_num for item in work.release(1.0)] == expected
        assert work.counters.contested == 1


def test_a_plate_is_free_again_when_its_vehicle_has_left() -> None:
    work = recognizer(inline(own("京A11111")))
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.hold(passage(1, 0.0), 0.0, TrackId(1), CONTEXT)
    work.release(1.0)
    work.observe(frame(9.0), [track(2, BOX, 9.0)])  # the same car under the name of a new track
    work.hold(passage(2, 9.0), 9.0, TrackId(2), CONTEXT)
    assert work.release(10.0)[0].looks.plate_num == "京A11111"


def test_a_second_fact_keeps_the_surer_plate() -> None:
    desk = HandDesk()
    work = recognizer(desk)
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    for number, (text, confidence) in enumerate((("京A11111", 0.9), ("京A77777", 0.6))):
        work.hold(passage(1, float(number)), float(number), TrackId(1), CONTEXT)
        work.release(number + 0.5)
        desk.answer(number, text, confidence)
        assert work.release(number + 0.5)[0].looks.plate_num == "京A11111"


def test_a_track_that_went_over_to_another_vehicle_does_not_keep_the_first_ones_plate() -> None:
    desk = HandDesk()
    work = recognizer(desk)
    for number, (text, confidence) in enumerate((("京A11111", 0.9), ("京A77777", 0.6))):
        for step, side in enumerate((200, 120, 60, 50, 180)):
            work.observe(frame(number + step / 10), [track(1, (100, 100, 100 + side, 100 + side), number + step / 10)])
            if number == 0 and step == 0:
                break
        work.hold(passage(1, number + 0.5), number + 0.5, TrackId(1), CONTEXT)
        work.release(number + 0.95)
        desk.answer(number, text, confidence)
        assert work.release(number + 0.95)[0].looks.plate_num == text


def test_a_vehicle_without_pictures_goes_out_unknown_at_once() -> None:
    work = recognizer(inline(own("京A11111")))
    work.observe(frame(0.0), [])
    work.hold(passage(5), 0.0, TrackId(5), CONTEXT)
    assert work.release(0.0)[0].looks == VehicleLooks()


def test_what_fails_is_counted_and_the_rest_is_stated() -> None:
    work = recognizer(inline(Plates(lambda image: [], down=True), Looks()))
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.hold(passage(1), 0.0, TrackId(1), CONTEXT)
    (ready,) = work.release(1.0)
    assert (ready.looks.plate_num, ready.looks.vehicle_type) == ("", 1)
    assert work.counters.failed == 1
    slow = recognizer(inline(own("京A11111"), Looks(answer=RecognitionFailedError("TimeoutError"))))
    slow.observe(frame(0.0), [track(1, BOX, 0.0)])
    slow.hold(passage(1), 0.0, TrackId(1), CONTEXT)
    (ready,) = slow.release(1.0)
    assert (ready.looks.plate_num, ready.looks.vehicle_type) == ("京A11111", 0)


def test_a_fault_in_the_work_itself_costs_the_looks_only() -> None:
    desk = HandDesk()
    work = recognizer(desk)
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.hold(passage(1), 0.0, TrackId(1), CONTEXT)
    work.release(1.0)
    desk.jobs[0][1].set_exception(ValueError("a picture that cannot be converted"))
    (ready,) = work.release(1.0)
    assert ready.looks == VehicleLooks()
    assert work.counters.failed == 1


def test_the_end_lets_everything_go_even_what_hangs() -> None:
    desk = HandDesk()
    work = recognizer(desk)
    work.observe(frame(0.0), [track(1, BOX, 0.0), track(2, (300, 100, 400, 200), 0.0)])
    for number in (1, 2):
        work.hold(passage(number), 0.0, TrackId(number), CONTEXT)
    work.hold(passage(3), 0.0)
    assert [item.fact_id for item in work.finish(0.01)] == ["f1-1.0", "f2-1.0", "f3-1.0"]
    assert work.waiting == 0
    assert work.counters.failed == 2


def test_memory_of_vehicles_is_bounded() -> None:
    work = recognizer(inline(own("京A11111")))
    for number in range(1, 30):
        work.observe(frame(float(number), blur=True), [track(number, BOX, float(number))])
        work.hold(passage(number), float(number), TrackId(number), CONTEXT)
        assert len(work.release(number + 1.0)) == 1
    assert work.looks_of(TrackId(1)) == VehicleLooks()
    assert work.looks_of(TrackId(29)).plate_num == "京A11111"


def job() -> Job:
    work = recognizer(HandDesk())
    work.observe(frame(0.0), [track(1, BOX, 0.0)])
    work.hold(passage(1), 0.0, TrackId(1), CONTEXT)
    work.release(1.0)
    return work._desk.jobs[0][0]  # type: ignore[attr-defined, no-any-return]


def test_a_live_desk_works_in_its_own_thread() -> None:
    threads: list[str] = []

    def say(image):  # type: ignore[no-untyped-def]
        threads.append(threading.current_thread().name)
        return [read("京A11111", 0.9, (image.shape[1] / 2, image.shape[0] * 0.8))]

    desk = ThreadedDesk(RecognitionServices(connect_plates=lambda: Plates(say)), CONFIG)  # type: ignore[arg-type, return-value]
    found = desk.submit(job()).result(10)
    desk.close()
    assert found.vote is not None
    assert found.vote.text == "京A11111"
    assert threads[0].startswith("recognition")


def test_after_three_faults_jobs_are_turned_away_for_a_while_and_then_tried_again() -> None:
    now = [0.0]
    plates = Plates(lambda image: [], down=True)
    desk = ThreadedDesk(RecognitionServices(connect_plates=lambda: plates), CONFIG, clock=lambda: now[0])  # type: ignore[arg-type, return-value]
    for _ in range(3):
        assert desk.submit(job()).result(10).failed
    assert desk.submit(job()).result(0).failed
    assert len(plates.calls) == 3
    now[0] = 11.0
    plates.down = False
    assert not desk.submit(job()).result(10).failed
    desk.close()


def test_a_client_that_cannot_be_had_is_a_fault_not_a_crash() -> None:
    def connect():  # type: ignore[no-untyped-def]
        raise RecognitionFailedError("no such deployment")

    desk = ThreadedDesk(RecognitionServices(connect_plates=connect, connect_attributes=connect), CONFIG)
    assert desk.submit(job()).result(10) == Findings(failed=True)
    desk.close()


def test_a_job_whose_time_is_over_is_not_begun() -> None:
    now = [0.0]
    block, begun = threading.Event(), threading.Event()

    def say(image):  # type: ignore[no-untyped-def]
        begun.set()
        block.wait(10)
        return []

    plates = Plates(say)
    desk = ThreadedDesk(RecognitionServices(connect_plates=lambda: plates), CONFIG, clock=lambda: now[0])  # type: ignore[arg-type, return-value]
    first = [desk.submit(job()) for _ in range(3)]  # two run, one waits
    begun.wait(10)
    now[0] = 60.0
    block.set()
    assert first[2].result(10) == Findings(failed=True)
    desk.close()


def test_default_attributes_are_unknown() -> None:
    assert Findings().looks(0.5) == VehicleLooks()
    assert (Attributes().vehicle_type, Attributes().vehicle_color) == (0, 255)


@pytest.mark.parametrize("confidence", [0.49, 0.51])
def test_the_confidence_setting_decides(confidence: float) -> None:
    looks = Findings(vote=vote([read("京A11111", confidence)])).looks(0.5)
    assert bool(looks.plate_num) == (confidence > 0.5) == bool(looks.plate_color)
