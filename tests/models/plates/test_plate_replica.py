"""The Serve replica called directly, and its client, without Ray."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from ray.exceptions import RayActorError

from models.handles import RecognitionFailedError, ServePlateReaderClient
from models.plates.deployment import PlateReplica, PlateSettings
from models.store import WeightsStore
from tests.models.plates.test_reader import reader, street  # noqa: F401 - the fixture skips without weights


def test_a_replica_reads_every_picture_of_a_batch(weights_store: WeightsStore, reader: object) -> None:  # noqa: F811
    settings = PlateSettings(
        system="cn", longest_px=640, engine="onnxruntime", device="cpu", threads=1, num_cpus=0.2, replicas=1, num_gpus=0.0,
        max_batch_size=4, models_dir=weights_store.root,
    )  # fmt: skip
    replica = PlateReplica(settings)
    assert replica.describe() == {"engine": "onnxruntime", "longestPx": 640}
    replica.check_health()
    pictures = [street(("京B12345", "blue", 100, 120, 90)), np.full((200, 300, 3), 90, np.uint8)]
    answers = asyncio.run(replica.infer(pictures))
    assert [[read.text for read in plates] for plates in answers] == [["京B12345"], []]
    with pytest.raises(ValueError, match="no picture"):
        asyncio.run(replica(np.zeros((4, 4), np.uint8)))


class Response:
    def __init__(self, answer: object) -> None:
        self.answer, self.cancelled = answer, False

    def result(self, timeout_s: float) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    def __init__(self, answers: Sequence[object]) -> None:
        self.responses = [Response(answer) for answer in answers]
        self._next = iter(self.responses)

    def remote(self, image: np.ndarray) -> Response:
        return next(self._next)


@pytest.mark.parametrize("error", [TimeoutError("slow"), RayActorError()])
def test_one_failed_request_fails_the_vehicle_and_cancels_the_rest(error: Exception) -> None:
    handle = Handle([(), error, ()])
    pending = ServePlateReaderClient(handle).submit([np.zeros((8, 8, 3), np.uint8)] * 3)
    with pytest.raises(RecognitionFailedError, match=type(error).__name__):
        pending.result(1.0)
    assert all(item.cancelled for item in handle.responses)


def test_answers_come_in_the_order_of_the_pictures() -> None:
    pending = ServePlateReaderClient(Handle([("a",), ()])).submit([np.zeros((8, 8, 3), np.uint8)] * 2)
    assert pending.result(1.0) == (("a",), ())
