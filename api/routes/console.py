"""What only the console asks: a look at a source, a scene checked as it is drawn, a test push."""

import base64
import json
import time
import uuid
from typing import Any

import numpy as np
from fastapi import APIRouter

from actors.decoding import SourceOptions, mask_address
from actors.delivery.ports import InterfaceConfig, Outgoing
from actors.delivery.sender import Sender
from actors.errors import SourceError
from api.errors import field_fault
from api.examples import body_example
from api.outbox_rows import interface_config
from api.routes.common import MayChange, Services, SignedIn, done
from api.routes.interfaces import get_interface
from api.routes.tasks import get_task
from api.schemas import Envelope, IdRequest
from api.schemas_console import MeData, ProbeData, ProbeRequest, PushTestData, SceneCheck, SceneFault, SceneRequest
from api.wire import bodies
from traffic.errors import SceneError, SceneProblem
from traffic.geometry import Homography
from traffic.scene.document import parse_scene, scene_warnings
from traffic.scene.model import Scene

router = APIRouter()
_GRID_STEPS_M = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_GRID_REACH_M = 50.0
_MOST_LINES = 40  # each way
_POINTS = 24
_TEST_TIMEOUT_S = 10.0
_EXAMPLES: dict[tuple[int, int], Any] = {
    (11, 1): bodies.EventBody,
    (11, 2): bodies.EventBody,
    (21, 1): list[bodies.VehicleBatchItem],
    (21, 2): bodies.VehicleSnapshotBody,
    (22, 1): list[bodies.TrafficParameterItem],
    (41, 1): bodies.PeopleBody,
    (41, 2): bodies.CrowdAlarmBody,
    (52, 1): bodies.TaskStatusBody,
    (52, 2): bodies.TaskStatusBody,
}


@router.post("/api/account/me", tags=["account"], response_model=Envelope[MeData], summary="当前账号 / who is signed in")
def me(user: SignedIn) -> Envelope[Any]:
    """The account behind the token."""
    return done(MeData(id=user.user.id or 0, username=user.user.name, role=user.user.role))


@router.post("/api/task/probe", tags=["task"], response_model=Envelope[ProbeData], summary="测试视频源 / look at a source")
def probe(body: ProbeRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Opens a source, answers its first picture, and closes it again; a 400 with the reason when there is none."""
    address = body.srcAddress
    if body.id is not None:
        with services.database.session() as session:
            stored = get_task(session, body.id).src_address
        address = stored if address == mask_address(stored) else address
    try:
        found = services.control.probe(address, SourceOptions(rtsp_transport=body.rtspTransport, outbound=services.outbound))
    except SourceError as error:
        raise field_fault("srcAddress", error.reason, "see the text in brackets") from error
    return done(
        ProbeData(
            width=found.width,
            height=found.height,
            codec=found.codec,
            fps=round(found.fps, 3),
            live=found.live,
            picture=base64.b64encode(found.jpeg).decode(),
        )
    )


@router.post("/api/scene/check", tags=["task"], response_model=Envelope[SceneCheck], summary="检查场景 / check a scene")
def check(body: SceneRequest, user: SignedIn) -> Envelope[Any]:
    """Every fault and warning of a scene document, and the metre grid of its calibration. Nothing is stored."""
    problems: tuple[SceneProblem, ...] = ()
    scene: Scene | None = None
    try:
        scene = parse_scene(body.scene)
    except SceneError as error:
        problems = error.problems
    if scene is None:  # the grid helps while the lanes are still wrong
        try:
            scene = parse_scene({"version": 1, "calibration": body.scene.get("calibration")})
        except SceneError:
            scene = None
    step, grid = metre_grid(scene) if scene else (0.0, [])
    return done(
        SceneCheck(
            problems=[_fault(problem) for problem in problems],
            warnings=[] if problems else [_fault(problem) for problem in scene_warnings(body.scene)],
            grid=grid,
            gridStepM=step,
        )
    )


def metre_grid(scene: Scene) -> tuple[float, list[list[list[float]]]]:
    """Distance of the lines in metres and the lines of a square grid on the road as relative image points, clipped to the
    picture; no lines without a calibration. The grid covers the lanes, or without lanes the lower half of the picture."""
    if scene.calibration is None:
        return 0.0, []
    seen = np.array(
        [point for lane in scene.lanes for point in lane.polygon] or [(0.1, 0.55), (0.9, 0.55), (0.9, 0.98), (0.1, 0.98)]
    )
    middle = seen.mean(axis=0)
    plane = Homography(scene.calibration.image_to_road, front=(float(middle[0]), float(middle[1])))
    ground = plane.apply(seen)
    ground = ground[np.isfinite(ground).all(axis=1)]
    if not len(ground):
        return 0.0, []
    nearest = plane.apply(seen[[seen[:, 1].argmax()]])[0]  # far away a metre is too small to be judged by eye
    ground = np.clip(ground, nearest - _GRID_REACH_M, nearest + _GRID_REACH_M)
    low, high = ground.min(axis=0), ground.max(axis=0)
    extent = float(max(high - low))
    step = next((step for step in _GRID_STEPS_M if extent / step <= _MOST_LINES), _GRID_STEPS_M[-1])
    low, high = np.floor(low / step) * step, np.ceil(high / step) * step
    high = np.minimum(high, low + step * 2 * _MOST_LINES)
    lines = []
    for axis in (0, 1):
        along = np.linspace(low[1 - axis], high[1 - axis], _POINTS)
        for value in np.arange(low[axis], high[axis] + step / 2, step):
            points = np.empty((_POINTS, 2))
            points[:, axis], points[:, 1 - axis] = value, along
            image = plane.apply_inverse(points)
            inside = np.isfinite(image).all(axis=1) & (np.abs(image - 0.5) <= 1.0).all(axis=1)
            if inside.sum() > 1:
                lines.append([[round(float(x), 5), round(float(y), 5)] for x, y in image[inside]])
    return step, lines


@router.post(
    "/api/interface/test", tags=["interface"], response_model=Envelope[PushTestData], summary="测试推送 / push an example"
)
async def test_push(body: IdRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Sends the manual's example body to a receiver once, signed like every push, and answers what came back.

    The body is an example: its ``taskNum`` is that of the example. Headers carry ``wayside-test: 1``.
    """
    with services.database.session() as session:
        config = interface_config(get_interface(session, body.id))
    text = json.dumps(example_body(config), ensure_ascii=False).encode()
    item = Outgoing(
        delivery_id=f"test-{uuid.uuid4().hex}",
        interface_id=config.interface_id,
        fact_id="test",
        order_key="test",
        kind=config.business_type,
        priority=0,
        body=text,
        pictures="",
        created_at=time.time(),
    )
    sender = Sender(None, _TEST_TIMEOUT_S, 1, outbound=services.outbound)
    try:
        attempt = await sender.send(item, config, 1)
    finally:
        await sender.close()
    good = attempt.status == 200 or (config.accept_2xx and 200 <= attempt.status < 300)
    return done(
        PushTestData(
            success=good,
            status=attempt.status,
            latencyMs=round(attempt.latency_ms, 1),
            excerpt=attempt.excerpt,
            body=text.decode(),
        )
    )


def example_body(config: InterfaceConfig) -> Any:
    """The example body of what an interface receives, with the fields of its options."""
    model = _EXAMPLES[config.business_type, 1 if config.periodic else 2]
    return body_example(model)


def _fault(problem: SceneProblem) -> SceneFault:
    return SceneFault(path=problem.path, chinese=problem.chinese, english=problem.english)
