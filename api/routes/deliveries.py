"""Deliveries: what was sent, what became of it, and sending it again."""

from typing import Any

from fastapi import APIRouter, Body

from api import deliveries, errors
from api.deliveries import FAILED, DeliveryFilter, DeliveryView, ReceiverView
from api.errors import ApiError, field_fault
from api.routes.common import MayChange, Services, SignedIn, done, moment_of
from api.schemas import Envelope
from api.schemas_deliveries import (
    AttemptData,
    DeliveryData,
    DeliveryDetail,
    DeliveryListRequest,
    DeliveryPage,
    DeliveryQuery,
    DeliverySelection,
    ReceiverData,
    ReplayData,
    ReplayRequest,
)
from api.services import ApiServices
from api.wire.times import wire_time

router = APIRouter(prefix="/api/delivery", tags=["delivery"])
_ROWS = 100


@router.post("/list", response_model=Envelope[DeliveryPage], summary="推送列表 / deliveries")
def list_page(services: Services, user: SignedIn, body: DeliveryListRequest | None = Body(None)) -> Envelope[Any]:
    """A page of deliveries, newest first; the newest 100 without paging. Finished ones are kept for 7 days."""
    body = body or DeliveryListRequest.model_validate({})
    wanted = _filter(body, services)
    rows = deliveries.list_deliveries(services.database, wanted, body.page or 1, body.pageSize or _ROWS)
    total = deliveries.count_deliveries(services.database, wanted)
    return done(DeliveryPage(total=total, rows=[DeliveryData(**_columns(row, services)) for row in rows]))


@router.post("/query", response_model=Envelope[DeliveryDetail], summary="推送详情 / one delivery")
def query(body: DeliveryQuery, services: Services, user: SignedIn) -> Envelope[Any]:
    """One delivery with its body and every attempt."""
    found = deliveries.query_delivery(services.database, body.id)
    if found is None:
        raise ApiError(errors.NOT_FOUND, f"推送 {body.id} 不存在", f"no delivery {body.id}")
    attempts = [
        AttemptData(
            time=_time(attempt.at, services), status=attempt.status, latencyMs=attempt.latency_ms, excerpt=attempt.excerpt
        )
        for attempt in found.attempts
    ]
    text = found.body.decode("utf-8", "replace")
    return done(DeliveryDetail(**_columns(found, services), body=text, attempts=attempts))


@router.post("/replay", response_model=Envelope[ReplayData], summary="重新推送 / send again")
def replay(body: ReplayRequest, services: Services, actor: MayChange) -> Envelope[Any]:
    """Sends deliveries again at once, delivered ones too, under their ids: some, those of a range, or all that failed.

    Those of a disabled interface wait until it is enabled. Order among them is not promised.
    """
    replayed = deliveries.replay(services.database, _filter(body, services, body.ids, body.failed), actor=actor)
    if body.ids and not replayed:
        raise ApiError(errors.NOT_FOUND, "没有符合条件的推送", "no such deliveries")
    if replayed:
        services.control.interfaces_changed()
    return done(ReplayData(replayed=replayed))


@router.post("/receivers", response_model=Envelope[list[ReceiverData]], summary="接收方状态 / how receivers do")
def receivers(services: Services, user: SignedIn) -> Envelope[Any]:
    """What waits for every interface, since when it fails, why it was disabled, what was dropped; by interface id."""
    found = deliveries.receivers(services.database)
    return done([_receiver(interface_id, view, services) for interface_id, view in sorted(found.items())])


def _filter(body: DeliverySelection, services: ApiServices, ids: list[str] | None = None, failed: bool = False) -> DeliveryFilter:
    begin, end = (
        None if text is None else moment_of(text, name, services.time_zone)
        for name, text in (("startTime", body.startTime), ("endTime", body.endTime))
    )
    if begin is not None and end is not None and begin >= end:
        raise field_fault("endTime", "必须晚于 startTime", "must be later than startTime")
    if body.interfaceId is not None and body.interfaceId >= 2**31:
        raise ApiError(errors.NOT_FOUND, f"接口 {body.interfaceId} 不存在", f"no interface {body.interfaceId}")
    return DeliveryFilter(
        interface_id=body.interfaceId,
        order_key=body.taskNum,
        states=FAILED if failed else body.states,
        since_s=begin,
        until_s=end,
        ids=ids,
    )


def _columns(row: DeliveryView, services: ApiServices) -> dict[str, Any]:
    return {
        "id": row.delivery_id,
        "interfaceId": row.interface_id,
        "taskNum": row.order_key,
        "businessType": row.business_type,
        "state": row.state,
        "tries": row.tries,
        "size": row.size_bytes,
        "createTime": _time(row.created_at, services),
        "nextTime": _time(row.next_attempt_at, services),
        "finishTime": _time(row.finished_at, services),
    }


def _receiver(interface_id: int, view: ReceiverView, services: ApiServices) -> ReceiverData:
    state, backlog = view.state, view.backlog
    return ReceiverData(
        interfaceId=interface_id,
        waiting=backlog.waiting,
        waitingBytes=backlog.size_bytes,
        held=backlog.held,
        dropped=backlog.dropped,
        failures=state.failures,
        failingSince=_time(state.failing_since, services),
        lastSuccess=_time(state.last_success_at, services),
        disabledTime=_time(state.disabled_at, services),
        disabledReason=state.disabled_reason,
    )


def _time(time_s: float, services: ApiServices) -> str:
    return wire_time(time_s, services.time_zone) if time_s else ""
