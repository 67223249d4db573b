"""An incident before the simulated camera, through the real detector, to a receiver, with picture and playable clip."""

import io
from collections.abc import Iterator
from typing import Any

import av
import httpx
import numpy as np
import pytest

from api.receiver import Receiver
from cluster.settings import Settings
from tests.cluster.test_end_to_end import LOOPBACK, Client, until
from tests.ports import free_port

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]
SOURCE = (
    "sim://approach?seed=2&flow=1200&width=960&height=540&fps=10"
    "&incident=stopped_vehicle:at=20:for=40:lane=2&incident=stopped_vehicle:at=110:for=40:lane=3"
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, weights_store) -> Iterator[tuple[Client, Settings]]:
    from cluster.ingress import prepare
    from cluster.up import Running

    settings = Settings(
        host="127.0.0.1", port=free_port(), data_dir=tmp_path_factory.mktemp("wayside"), models_dir=weights_store.root,
        admin_password="end-to-end", analysed_fps=4, clip_before_s=4, clip_after_s=3, archive_min_free_bytes=0,
        outbound_allow=LOOPBACK, plates=False, attributes=False,
    )  # fmt: skip
    prepare(settings)
    running = Running(settings, None, dashboard_port=0)
    try:
        yield Client(settings), settings
    finally:
        running.close()


def _pictures(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as clip:
        assert next(clip.decode(video=0)).key_frame
    with av.open(io.BytesIO(data)) as clip:
        return [frame.to_ndarray(format="gray") for frame in clip.decode(video=0)]


def test_a_stopped_vehicle_arrives_with_its_picture_and_a_clip_of_the_moment(installation: tuple[Client, Settings]) -> None:
    from cluster.demo import demo_scene

    client, _ = installation
    with Receiver() as receiver:
        client.call("interface/add", name="events", businessType=11, triggerCondition=2, url=receiver.url, uploadImgStatus=1,
                    companyName="c", companyId="1", appId="a")  # fmt: skip
        client.call("task/add", taskNum="1", taskName="演示", srcAddress=SOURCE, scene=demo_scene(SOURCE))
        push = until(lambda: next((push for push in list(receiver.pushes) if _stands(push)), None), 220)
    body: dict[str, Any] = push.body
    assert push.problems == []
    assert body["imgBase64"]
    picture = client.get(f"/{body['recordLargePath']}")
    assert picture.content.startswith(b"\xff\xd8")
    clip = client.get(body["videoPath"])
    assert (clip.status_code, clip.headers["content-type"]) == (200, "video/mp4")
    part = httpx.get(clip.request.url, headers={"range": "bytes=0-99"}, trust_env=False)
    assert (part.status_code, part.content) == (206, clip.content[:100])
    frames = _pictures(clip.content)
    assert 40 <= len(frames) <= 90, "4 s before, 3 s after, one second to the key frame, 10 a second"
    moment = _gray(picture.content)
    nearest = min(range(len(frames)), key=lambda i: float(np.abs(frames[i].astype(int) - moment).mean()))
    assert 20 <= nearest < len(frames) - 15, "the moment of the picture lies inside the clip"
    page = client.call("event/list", recordTypes=[body["recordType"]])
    assert page["rows"][0]["videoPath"] == body["videoPath"]
    detail = client.call("event/query", id=page["rows"][0]["id"])
    assert detail["body"] == {name: value for name, value in body.items() if name != "imgBase64"}
    assert client.call("task/list")[0]["events"] >= 1
    assert client.call("vehicle/list")["total"] >= 0


def _stands(push: Any) -> bool:
    """Stopped on the road, or parked where it must not."""
    return push.kind == "event" and push.body["recordType"] in (1015, 1001)


def _gray(jpeg: bytes) -> np.ndarray:
    import cv2

    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return decoded
