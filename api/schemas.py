"""Requests and answers of the API, in the manual's names. Unknown fields are ignored, wrong types are told."""

import json
import re
import zoneinfo
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from api.task_store import START_TIME_FORMAT
from traffic.errors import SceneError
from traffic.scene.document import parse_scene

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
SOURCE_SCHEMES = ("rtsp", "rtsps", "http", "https", "sim", "file")


def _clean(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("不能包含控制字符 (no control characters allowed)")
    return value


Id = Annotated[StrictInt, Field(ge=1, le=2**63 - 1, description="数据 id / record id", examples=[2])]
Flag = Annotated[StrictInt | StrictBool, Field(ge=0, le=1)]


def _text(chinese: str, english: str, example: str, most: int = 200, least: int = 0) -> Any:
    return Field(description=f"{chinese} / {english}", examples=[example], max_length=most, min_length=least)


class Request(BaseModel):
    """Base of request bodies."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    @field_validator("*", mode="after")
    @classmethod
    def _no_control_characters(cls, value: Any) -> Any:
        return _clean(value) if isinstance(value, str) else value


class Envelope(BaseModel, Generic[T]):
    """Every answer: code 0 and 操作成功, or the code and text of an error."""

    code: int = Field(0, description="0 成功, 其他为错误码 / 0 is success")
    resultMsg: str = Field("操作成功", description="结果说明 / what happened")
    data: T | None = Field(None, description="数据 / the data")


class LoginRequest(Request):
    """1.6 登录 / sign in"""

    username: StrictStr = _text("用户名", "user name", "admin", 64, 1)
    password: StrictStr = _text("密码", "password", "123456", 256, 1)


class LoginData(BaseModel):
    """Answer to a sign-in."""

    id: int = Field(description="id", examples=[3])
    name: str = Field(description="登录名 / user name", examples=["admin"])
    pid: int = Field(description="父级 id / parent id", examples=[0])
    token: str = Field(description="访问令牌 / access token")


class IdRequest(Request):
    """A record by its id."""

    id: Id


class ListRequest(Request):
    """Optional paging; without it everything is listed."""

    page: Annotated[StrictInt, Field(ge=1, le=10**9, description="页码, 从 1 开始 / page from 1")] | None = None
    pageSize: Annotated[StrictInt, Field(ge=1, le=1000, description="每页条数 / rows a page")] | None = None


class InterfaceFields(Request):
    """2.1 数据接收接口 / a receiver"""

    name: StrictStr = _text("接口名称", "name", "test5", 200, 1)
    businessType: Literal[11, 21, 22, 41, 52] = Field(
        description="业务类型 11 事件告警 21 车辆抓拍 22 综合交通参数 41 人流量 52 任务状态 / business type", examples=[21]
    )
    triggerCondition: Literal[1, 2] = Field(description="触发条件 1 周期触发 2 抓拍触发 / 1 periodic 2 on trigger", examples=[1])
    uploadPeriod: Annotated[StrictInt, Field(description="上传周期, 秒, 1~120 / period in s", examples=[10])] | None = None
    contentType: Literal[1] = Field(1, description="1: application/json", examples=[1])
    method: Literal[1] = Field(1, description="1: POST", examples=[1])
    url: StrictStr = _text("请求 url", "where to push", "http://192.168.0.115:8080/event/receive", 2048, 1)
    uploadImgStatus: Flag = Field(0, description="是否回传图片 0 否 1 是 / send pictures", examples=[1])
    companyName: StrictStr = _text("公司名称", "company", "top")
    companyId: StrictStr = _text("公司 id", "company id", "123")
    appId: StrictStr = _text("appId", "app id", "sdas23")
    pushResponse: Flag = Field(1, description="是否响应推送 0 否 1 是 / the receiver's answer decides", examples=[1])
    taskNums: (
        Annotated[list[StrictStr], Field(max_length=1000, description="只推送这些任务, 扩展字段 / only these tasks")] | None
    ) = None
    enabled: StrictBool = Field(True, description="是否启用, 扩展字段 / in use")

    @field_validator("url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good or re.search(r"\s", value):
            raise ValueError("须为完整的 http(s) 地址 (must be an absolute http or https URL with a host)")
        return value

    @model_validator(mode="after")
    def _matrix(self) -> "InterfaceFields":
        if self.businessType == 22 and self.triggerCondition == 2:
            raise ValueError("triggerCondition: 综合交通参数只支持周期触发 1 (business type 22 is periodic only)")
        if self.triggerCondition == 1 and (self.uploadPeriod is None or not 1 <= self.uploadPeriod <= 120):
            raise ValueError("uploadPeriod: 周期触发时必填, 范围 1~120 秒 (required for periodic push, 1 to 120 seconds)")
        return self


class InterfaceEdit(InterfaceFields):
    """2.2: the whole record with its id."""

    id: Id


class InterfaceData(BaseModel):
    """A stored receiver, in the manual's types."""

    id: int
    name: str
    businessType: int
    triggerCondition: int
    uploadPeriod: int
    contentType: int
    method: int
    url: str
    uploadImgStatus: int
    companyName: str
    companyId: str
    appId: str
    pushResponse: int
    taskNums: list[str] | None
    enabled: bool


class TaskFields(Request):
    """A camera task."""

    taskNum: StrictStr = Field(description="任务编号, 唯一 / task number, unique", examples=["100"], min_length=1, max_length=64)
    taskName: StrictStr = _text("任务名称", "task name", "测试任务", 200, 1)
    srcAddress: StrictStr = _text("视频源地址", "video source", "rtsp://admin:12345@192.168.1.96:554/h264/ch1", 2048, 1)
    scene: dict[str, Any] | None = Field(None, description="场景, 见 /api/scene/schema / scene document; null: 自动学习车道")
    analysedFps: Annotated[StrictInt | StrictFloat, Field(ge=0, le=120)] = Field(
        0, description="分析帧率, 0 为默认 / analysed frames per second, 0 is the default", examples=[12.5]
    )
    rtspTransport: Literal["tcp", "udp"] = Field("tcp", description="RTSP 传输方式 / RTSP transport")
    loop: StrictBool = Field(False, description="文件循环播放 / a file starts again at its end")
    startTime: StrictStr = Field("", description="录像起始时间 yyyy-MM-dd HH:mm:ss / start of a recording", max_length=19)
    timeZone: StrictStr | None = Field(None, description="时区 / IANA time zone", examples=["Asia/Shanghai"], max_length=64)
    enabled: StrictBool = Field(True, description="是否启用 / in use")

    @field_validator("srcAddress")
    @classmethod
    def _source(cls, value: str) -> str:
        scheme = value.split("://", 1)[0].lower() if "://" in value else ""
        if scheme and scheme not in SOURCE_SCHEMES:
            raise ValueError(f"须为文件、目录或 {'、'.join(SOURCE_SCHEMES)} 地址 (a file, a folder or one of these schemes)")
        return value

    @field_validator("scene")
    @classmethod
    def _scene(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            try:
                parse_scene(value)
            except SceneError as error:
                raise ValueError("; ".join(str(problem) for problem in error.problems)) from error
        return value

    @field_validator("startTime")
    @classmethod
    def _start(cls, value: str) -> str:
        if value:
            try:
                datetime.strptime(value, START_TIME_FORMAT)
            except ValueError as error:
                raise ValueError("格式须为 yyyy-MM-dd HH:mm:ss (must be yyyy-MM-dd HH:mm:ss)") from error
        return value

    @field_validator("timeZone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                zoneinfo.ZoneInfo(value)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError("未知时区, 例如 Asia/Shanghai (unknown time zone)") from error
        return value


class TaskEdit(TaskFields):
    """The whole record with its id."""

    id: Id


class TaskData(BaseModel):
    """A stored task with the state of its camera. Passwords in srcAddress are masked."""

    id: int
    taskNum: str
    taskName: str
    srcAddress: str
    scene: dict[str, Any] | None
    analysedFps: float
    rtspTransport: str
    loop: bool
    startTime: str
    timeZone: str
    enabled: bool
    status: int = Field(description="0 未启动 1 分析中 2 重连中 3 已断开")
    statusName: str
    reason: str
    framesDecoded: int
    framesAnalysed: int
    framesDropped: int
    fpsSource: float
    fpsAnalysed: float
    passages: int
    laneCounts: dict[str, int]
    width: int
    height: int
    codec: str


def load_scene(text: str | None) -> dict[str, Any] | None:
    """Scene column → answer."""
    if not text:
        return None
    loaded: dict[str, Any] = json.loads(text)
    return loaded
