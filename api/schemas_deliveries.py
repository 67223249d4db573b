"""Requests and answers about deliveries, receivers and signing secrets."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt, model_validator

from api.schemas import Id, IdRequest, InterfaceData, ListRequest, Plain, Request, TaskNum
from api.validation import field_error

State = Literal["waiting", "retrying", "delivered", "given_up"]
DeliveryId = Annotated[Plain, Field(min_length=1, max_length=64)]
_STATES = "状态 waiting 等待 retrying 待重试 delivered 已送达 given_up 已放弃 / state: waiting, retrying, delivered or given_up"
_ID = "推送 id, 即 webhook-id 头 / id of the delivery, its webhook-id"
_EXAMPLE_ID = "6f1c3f0e-52f3-5a39-9a0e-0c2a1d7f8b11"
_MOST_IDS = 1000


def _moment(chinese: str, english: str) -> Any:
    return Field(
        None,
        description=f"{chinese}, yyyy-MM-dd HH:mm:ss, 服务器时区 / {english}, in the server's time zone",
        max_length=19,
        examples=["2026-11-24 08:00:00"],
    )


class DeliverySelection(Request):
    """Which deliveries; what is null lets everything pass."""

    interfaceId: Id | None = Field(None, description="接口 id, 空为全部 / of this interface, null for all", examples=[2])
    taskNum: TaskNum | None = Field(
        None,
        description="任务编号, 周期批量推送为 period, 空为全部 / of this task (period: arrays of periods), null for all",
        examples=["100"],
    )
    states: Annotated[list[State], Field(min_length=1, max_length=4)] | None = Field(
        None, description=f"{_STATES}; 空为全部 / null for all", examples=[["given_up"]]
    )
    startTime: Plain | None = _moment("受理时间从(含)", "accepted from, inclusive")
    endTime: Plain | None = _moment("受理时间至(不含)", "accepted to, exclusive")


class DeliveryListRequest(DeliverySelection, ListRequest):
    """A page of deliveries, newest first; without paging the newest 100."""


class DeliveryQuery(Request):
    """A delivery by its id."""

    id: DeliveryId = Field(description=_ID, examples=[_EXAMPLE_ID])


class ReplayRequest(DeliverySelection):
    """What to send again: ids, a range of time, or all that failed; given together, all of it must hold."""

    ids: Annotated[list[DeliveryId], Field(min_length=1, max_length=_MOST_IDS)] | None = Field(
        None, description=f"推送 id, 最多 {_MOST_IDS} 个 / ids of deliveries, at most {_MOST_IDS}", examples=[[_EXAMPLE_ID]]
    )
    failed: StrictBool = Field(
        False, description="全部失败的 (retrying, given_up) / all that failed (retrying, given_up)", examples=[True]
    )

    @model_validator(mode="after")
    def _something_is_chosen(self) -> "ReplayRequest":
        if self.ids is None and self.startTime is None and not self.failed:
            raise field_error("缺失: 须指定 ids、startTime 或 failed", "is missing: give ids, startTime or failed", field="ids")
        if self.failed and self.states is not None:
            raise field_error("与 failed 不能同时指定", "cannot be given together with failed", field="states")
        return self


class ReplayData(BaseModel):
    """How much is sent again."""

    replayed: int = Field(description="重新推送的条数 / deliveries that are sent again", examples=[12])


class DeliveryData(BaseModel):
    """One POST that was or is to be made. Times in the server's time zone, "" for none."""

    id: str = Field(description=_ID, examples=[_EXAMPLE_ID])
    interfaceId: int = Field(description="接口 id / the interface", examples=[2])
    taskNum: str = Field(
        description="任务编号; 周期批量推送为 period / the task; period for the array of a period", examples=["100"]
    )
    businessType: int = Field(description="业务类型 11、21、22、41、52 / business type", examples=[21])
    state: State = Field(description=_STATES, examples=["delivered"])
    tries: int = Field(description="本轮已尝试次数 / attempts since it was accepted or replayed", examples=[1])
    size: int = Field(description="报文字节数, 不含图片 / bytes of the body without pictures", examples=[512])
    createTime: str = Field(description="受理时间 / accepted at", examples=["2026-11-24 08:00:00"])
    nextTime: str = Field(description="下次尝试时间, 无则为空 / next attempt, empty for none", examples=[""])
    finishTime: str = Field(description="结束时间, 无则为空 / finished at, empty for not yet", examples=["2026-11-24 08:00:01"])


class DeliveryPage(BaseModel):
    """A page of deliveries."""

    total: int = Field(description="符合条件的总数 / how many there are altogether", examples=[1])
    rows: list[DeliveryData] = Field(description="本页推送, 新的在前 / deliveries of this page, newest first")


class AttemptData(BaseModel):
    """One attempt."""

    time: str = Field(description="时间 / time", examples=["2026-11-24 08:00:01"])
    status: int = Field(description="HTTP 状态码, 0 为无响应 / HTTP status, 0 for no answer", examples=[200])
    latencyMs: float = Field(description="耗时, 毫秒 / latency in ms", examples=[12.5])
    excerpt: str = Field(description="响应开头或错误说明 / head of the answer, or the error", examples=["ok"])


class DeliveryDetail(DeliveryData):
    """A delivery with its body and every attempt."""

    body: str = Field(description="报文 (JSON 文本, 图片字段为空) / the body as JSON text, picture fields empty", examples=["{}"])
    attempts: list[AttemptData] = Field(description="各次尝试, 旧的在前 / attempts, oldest first")


class ReceiverData(BaseModel):
    """How a receiver does. Times in the server's time zone, "" for never."""

    interfaceId: int = Field(description="接口 id / the interface", examples=[2])
    waiting: int = Field(description="未完成的推送条数 / unfinished deliveries", examples=[0])
    waitingBytes: int = Field(description="未完成的推送字节数 / bytes of their bodies", examples=[0])
    held: int = Field(description="本周期内待汇总的条数 / items of the period that is open", examples=[0])
    dropped: int = Field(description="因超限丢弃的条数 / deliveries dropped by the outbox's bounds", examples=[0])
    failures: int = Field(description="连续失败次数 / failures in a row", examples=[0])
    failingSince: str = Field(description="开始连续失败的时间 / failing since", examples=[""])
    lastSuccess: str = Field(description="最近成功时间 / last success", examples=["2026-11-24 08:00:01"])
    disabledTime: str = Field(description="被系统停用的时间 / disabled by Wayside at", examples=[""])
    disabledReason: str = Field(description="被系统停用的原因 / why Wayside disabled it", examples=[""])


class InterfaceMade(InterfaceData):
    """A new receiver with its signing secret, which nothing shows again."""

    secret: str = Field(
        description="签名密钥 (Standard Webhooks), 只返回这一次 / signing secret, answered this once",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )


class RotateRequest(IdRequest):
    """A new signing secret for an interface."""

    overlapSeconds: Annotated[StrictInt, Field(ge=0, le=30 * 86_400)] = Field(
        86_400,
        description="旧密钥同时签名的秒数 / for how many seconds the one before signs as well",
        examples=[86_400],
    )


class SecretData(BaseModel):
    """A signing secret, which nothing shows again."""

    id: int = Field(description="接口 id / the interface", examples=[2])
    secret: str = Field(
        description="新的签名密钥, 只返回这一次 / the new signing secret, answered this once",
        examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    )
