"""Requests and answers of the API, in the manual's names. Unknown fields are ignored, wrong types are told.

What is wrong with a request is told by ``api.validation`` from the published schema, so every limit stands here once.
"""

import json
import re
import zoneinfo
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from actors.decoding import mask_address
from api.task_store import START_TIME_FORMAT
from api.validation import FieldFault, field_error, not_allowed, scene_error
from traffic.errors import SceneError
from traffic.scene.document import parse_scene

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
SOURCE_SCHEMES = ("rtsp", "rtsps", "http", "https", "sim", "file")


def _plain(value: str) -> str:
    if _CONTROL.search(value):
        raise field_error("不能包含控制字符", "must not contain control characters")
    return value


def _flag(value: object) -> int:
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return int(value)
    raise not_allowed()


def _integer(value: object) -> int:
    """An integer as JSON has it: neither 1.0 nor true."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise not_allowed()
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise not_allowed()
    return value


def _int64(value: int) -> int:
    if value >= 2**63:
        raise field_error(f"须为 1 至 {2**63 - 1} 的整数", f"must be an integer from 1 to {2**63 - 1}")
    return value


Plain = Annotated[
    StrictStr,
    Field(json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f]*$"}),
    BeforeValidator(lambda value: _plain(value) if isinstance(value, str) else value),
]
Id = Annotated[
    StrictInt,
    Field(ge=1, description="数据 id / record id", examples=[2], json_schema_extra={"format": "int64"}),
    AfterValidator(_int64),
]
_FLAG_SCHEMA = {"anyOf": [{"type": "integer", "enum": [0, 1]}, {"type": "boolean"}]}
Flag = Annotated[int, BeforeValidator(_flag), WithJsonSchema(_FLAG_SCHEMA)]
FlagAnswer = Annotated[int, Field(ge=0, le=1)]
Whole = BeforeValidator(_integer)
TaskNum = Annotated[Plain, Field(min_length=1, max_length=64)]


def _text(chinese: str, english: str, example: str, most: int = 200, least: int = 0) -> Any:
    return Field(description=f"{chinese} / {english}", examples=[example], max_length=most, min_length=least)


def _field(chinese: str, english: str, example: object) -> Any:
    return Field(description=f"{chinese} / {english}", examples=[example])


def _same_host(url: str, host: str) -> bool:
    """Whether the library that connects reads the same host as the one that judged."""
    try:
        return httpx.URL(url).host.strip("[]").lower() == host.strip("[]").lower()
    except (httpx.InvalidURL, ValueError, UnicodeError):
        return False


class Request(BaseModel):
    """Base of request bodies."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    @field_validator("name", "taskName", "taskNum", "username", mode="after", check_fields=False)
    @classmethod
    def _not_blank(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise field_error("不能为空白", "must not be blank")
        return value


class Envelope(BaseModel, Generic[T]):
    """Every answer: code 0 and 操作成功, or the code and text of an error."""

    code: int = Field(0, description="0 成功, 其他为错误码 / 0 is success, anything else an error")
    resultMsg: str = Field("操作成功", description="结果说明 / what happened")
    data: T | None = Field(None, description="数据 / the data")


class ErrorEnvelope(BaseModel):
    """Every error: its code, what is wrong in Chinese and then in English, and the fields at fault."""

    code: int = Field(description="错误码, 不为 0 / code of the kind of error, never 0", examples=[4000])
    resultMsg: str = Field(description="错误说明, 先中文后英文 / what is wrong, Chinese then English")
    data: list[FieldFault] | None = Field(None, description="有误的字段 / the fields at fault")


class IdRequest(Request):
    """A record by its id."""

    id: Id


class ListRequest(Request):
    """Optional paging; without it everything is listed."""

    page: Annotated[StrictInt, Field(ge=1, le=10**9)] | None = Field(
        None, description="页码, 从 1 开始 / page, from 1", examples=[1]
    )
    pageSize: Annotated[StrictInt, Field(ge=1, le=1000)] | None = Field(
        None, description="每页条数 / rows a page", examples=[100]
    )


class InterfaceFields(Request):
    """2.1 数据接收接口 / a receiver"""

    name: Plain = _text("接口名称", "name", "test5", 200, 1)
    businessType: Annotated[Literal[11, 21, 22, 41, 52], Whole] = Field(
        description="业务类型 11 事件告警 21 车辆抓拍 22 综合交通参数 41 人流量 52 任务状态 / business type: 11 events, "
        "21 vehicle snapshots, 22 traffic parameters, 41 people, 52 task status",
        examples=[21],
    )
    triggerCondition: Annotated[Literal[1, 2], Whole] = Field(
        description="触发条件 1 周期触发 2 抓拍触发 / trigger: 1 periodic, 2 at once", examples=[1]
    )
    uploadPeriod: Annotated[StrictInt, Field(ge=1, le=120)] | None = Field(
        None,
        description="上传周期, 秒, 1~120, 周期触发时必填, 否则忽略 / period in s, required when periodic, ignored otherwise",
        examples=[10],
    )
    contentType: Annotated[Literal[1], Whole] = Field(
        1, description="请求格式 1: application/json / content type, 1 is JSON", examples=[1]
    )
    method: Annotated[Literal[1], Whole] = Field(1, description="请求方法 1: POST / method, 1 is POST", examples=[1])
    url: Plain = _text("请求 url", "where to push, http or https", "http://192.168.0.115:8080/event/receive", 2048, 1)
    uploadImgStatus: Flag = Field(0, description="是否回传图片 0 否 1 是 / send pictures: 0 no, 1 yes", examples=[1])
    companyName: Plain = _text("公司名称", "company", "top")
    companyId: Plain = _text("公司 id", "company id", "123")
    appId: Plain = _text("应用 id", "app id", "sdas23")
    pushResponse: Flag = Field(1, description="是否响应推送 0 否 1 是 / the receiver's answer decides: 0 no, 1 yes", examples=[1])
    acceptOther2xx: Flag = Field(
        0,
        description="200 以外的 2xx 是否也算成功 0 否 1 是, 扩展字段 / other 2xx are success too: 0 no, 1 yes; our extension",
        examples=[0],
    )
    taskNums: Annotated[list[TaskNum], Field(max_length=1000)] | None = Field(
        None, description="只推送这些任务, 空为全部; 扩展字段 / only these tasks, null for all; our extension", examples=[["100"]]
    )
    enabled: StrictBool = Field(True, description="是否启用, 扩展字段 / in use; our extension", examples=[True])

    @model_validator(mode="before")
    @classmethod
    def _period_only_when_periodic(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("triggerCondition") == 2:
            return {name: value for name, value in data.items() if name != "uploadPeriod"}
        return data

    @field_validator("url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        # A backslash, a space or a host that two parsers read differently would be judged as one address and used as another.
        if not good or re.search(r"[\s\\]", value) or not _same_host(value, parts.hostname or ""):
            raise field_error("须为完整的 http 或 https 地址", "must be an absolute http or https URL with a host")
        return value

    @model_validator(mode="after")
    def _matrix(self) -> "InterfaceFields":
        if self.businessType == 22 and self.triggerCondition == 2:
            raise field_error(
                "综合交通参数 (22) 只支持周期触发, 须为 1",
                "must be 1: business type 22 is periodic only",
                field="triggerCondition",
            )
        if self.triggerCondition == 1 and self.uploadPeriod is None:
            raise field_error(
                "周期触发时必填, 须为 1 至 120 的整数 (秒)",
                "is required for periodic push, an integer from 1 to 120 (seconds)",
                field="uploadPeriod",
            )
        return self


class InterfaceEdit(InterfaceFields):
    """2.2: the whole record with its id."""

    id: Id


class InterfaceData(BaseModel):
    """A stored receiver, in the manual's types."""

    id: int = _field("数据 id", "record id", 2)
    name: str = _field("接口名称", "name", "test5")
    businessType: int = _field("业务类型 11、21、22、41、52", "business type", 21)
    triggerCondition: int = _field("触发条件 1 周期触发 2 抓拍触发", "trigger: 1 periodic, 2 at once", 1)
    uploadPeriod: int = _field("上传周期, 秒; 抓拍触发时为 0", "period in s, 0 when not periodic", 10)
    contentType: int = _field("请求格式 1: application/json", "content type, 1 is JSON", 1)
    method: int = _field("请求方法 1: POST", "method, 1 is POST", 1)
    url: str = _field("请求 url", "where to push", "http://192.168.0.115:8080/event/receive")
    uploadImgStatus: FlagAnswer = _field("是否回传图片 0 否 1 是", "send pictures: 0 no, 1 yes", 1)
    companyName: str = _field("公司名称", "company", "top")
    companyId: str = _field("公司 id", "company id", "123")
    appId: str = _field("应用 id", "app id", "sdas23")
    pushResponse: FlagAnswer = _field("是否响应推送 0 否 1 是", "the receiver's answer decides: 0 no, 1 yes", 1)
    acceptOther2xx: FlagAnswer = _field("200 以外的 2xx 是否也算成功 0 否 1 是", "other 2xx count as success too: 0 no, 1 yes", 0)
    signed: bool = _field("是否签名", "deliveries are signed", True)
    taskNums: list[str] | None = _field("只推送这些任务, 空为全部", "only these tasks, null for all", ["100"])
    enabled: bool = _field("是否启用", "in use", True)


class TaskFields(Request):
    """A camera task."""

    taskNum: TaskNum = _text("任务编号, 唯一, 不含 /", "task number, unique, without /", "100", 64, 1)
    taskName: Plain = _text("任务名称", "task name", "测试任务", 200, 1)
    srcAddress: Plain = _text(
        "视频源地址", "video source: file, folder or URL", "rtsp://admin:12345@192.168.1.96:554/h264/ch1", 2048, 1
    )
    scene: dict[str, Any] | None = Field(
        None,
        description="场景, 格式见 /api/scene/schema, 空为自动学习车道 / scene, see /api/scene/schema; null: lanes are learned",
    )
    analysedFps: Annotated[float, Field(ge=0, le=120), BeforeValidator(_number)] = Field(
        0, description="分析帧率, 0 为默认 / analysed frames per second, 0 is the default", examples=[12.5]
    )
    rtspTransport: Literal["tcp", "udp"] = Field("tcp", description="RTSP 传输方式 / RTSP transport", examples=["tcp"])
    loop: StrictBool = Field(False, description="文件循环播放 / a file starts again at its end", examples=[False])
    startTime: Plain = Field(
        "",
        description="录像起始时间 yyyy-MM-dd HH:mm:ss, 可空 / start of a recording, may be empty",
        max_length=19,
        examples=["2019-03-04 08:00:00"],
    )
    timeZone: Plain | None = Field(
        None, description="时区, 空为默认 / IANA time zone, null is the default", examples=["Asia/Shanghai"], max_length=64
    )
    enabled: StrictBool = Field(True, description="是否启用 / in use", examples=[True])

    @field_validator("taskNum")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if "/" in value:
            raise field_error("不能包含斜杠", "must not contain a slash")
        return value

    @field_validator("srcAddress")
    @classmethod
    def _source(cls, value: str) -> str:
        scheme = value.split("://", 1)[0].lower() if "://" in value else ""
        if (scheme and scheme not in SOURCE_SCHEMES) or not value.strip():
            names = ", ".join(SOURCE_SCHEMES)
            raise field_error(f"须为文件、目录或 {names} 地址", f"must be a file, a folder or a URL with one of {names}")
        return value

    @field_validator("scene")
    @classmethod
    def _scene(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            try:
                parse_scene(value)
            except SceneError as error:
                raise scene_error(error) from error
        return value

    @field_validator("startTime")
    @classmethod
    def _start(cls, value: str) -> str:
        if value:
            try:
                good = 1970 <= datetime.strptime(value, START_TIME_FORMAT).year <= 2099
            except ValueError:
                good = False
            if not good:
                raise field_error(
                    "须为空或 1970 至 2099 年的 yyyy-MM-dd HH:mm:ss", "must be empty or yyyy-MM-dd HH:mm:ss from 1970 to 2099"
                )
        return value

    @field_validator("timeZone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                zoneinfo.ZoneInfo(value)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise field_error("未知时区, 例如 Asia/Shanghai", "is no known time zone, such as Asia/Shanghai") from error
        return value


class TaskEdit(TaskFields):
    """The whole record with its id."""

    id: Id


def is_masked(address: str) -> bool:
    """Whether an address carries the mask where its secret should be."""
    return "***" in address and mask_address(address) == address


class TaskData(BaseModel):
    """A stored task with the state of its camera. Passwords in srcAddress are masked."""

    id: int = _field("数据 id", "record id", 2)
    taskNum: str = _field("任务编号", "task number", "100")
    taskName: str = _field("任务名称", "task name", "测试任务")
    srcAddress: str = _field(
        "视频源地址, 密码已隐藏", "video source, passwords masked", "rtsp://admin:***@192.168.1.96:554/h264/ch1"
    )
    scene: dict[str, Any] | None = _field("场景", "scene document, null: lanes are learned", None)
    analysedFps: float = _field("设定的分析帧率, 0 为默认", "wanted analysed frames per second, 0 is the default", 12.5)
    rtspTransport: str = _field("RTSP 传输方式", "RTSP transport", "tcp")
    loop: bool = _field("文件循环播放", "a file starts again at its end", False)
    startTime: str = _field("录像起始时间", "start of a recording", "2019-03-04 08:00:00")
    timeZone: str = _field("时区", "time zone", "Asia/Shanghai")
    enabled: bool = _field("是否启用", "in use", True)
    status: int = _field("任务状态 0 未启动 1 分析中 2 重连中 3 已断开", "0 off, 1 analysing, 2 reconnecting, 3 disconnected", 1)
    statusName: str = _field("任务状态名称", "name of the status", "分析中")
    reason: str = _field("状态原因", "why the status is so", "")
    framesDecoded: int = _field("已解码帧数", "frames decoded", 1000)
    framesAnalysed: int = _field("已分析帧数", "frames analysed", 500)
    framesDropped: int = _field("已丢弃帧数", "frames dropped", 0)
    fpsSource: float = _field("视频源帧率", "frames per second of the source", 25.0)
    fpsAnalysed: float = _field("实际分析帧率", "frames analysed per second", 12.5)
    passages: int = _field("过车数", "vehicles counted", 42)
    events: int = _field("已发生事件数", "events raised or upgraded", 3)
    openEvents: int = _field("未结束事件数", "events that are open", 1)
    clipsFailed: int = _field("未能保存的录像数", "clips that could not be kept", 0)
    clipError: str = _field("最近一次录像失败的原因", "why the last of them could not", "")
    picturesFailed: int = _field("未能保存的图片数", "pictures that could not be kept", 0)
    laneCounts: dict[str, int] = _field("各车道过车数", "vehicles by lane number", {"1": 20, "2": 22})
    width: int = _field("画面宽度, 像素", "width of the picture, pixels", 1920)
    height: int = _field("画面高度, 像素", "height of the picture, pixels", 1080)
    codec: str = _field("视频编码", "video codec", "h264")


class ArchiveData(BaseModel):
    """How full the archive is, as of its last pruning."""

    files: int = _field("文件数", "files", 1200)
    bytes: int = _field("字节数", "bytes", 350_000_000)
    freeBytes: int | None = _field("磁盘剩余字节数, 对象存储为空", "free on the disk, null for object stores", 80_000_000_000)
    complete: bool = _field("是否已全部统计", "everything has been looked at", True)


class HealthData(BaseModel):
    """State of the parts of the system."""

    status: str = _field("ok 正常, degraded 部分异常", "ok, or degraded when anything is wrong", "ok")
    components: dict[str, str] = _field("各组件状态, ok 或异常说明", "ok or what is wrong, by component", {"database": "ok"})
    notices: list[str] = Field(
        default_factory=list,
        description="给操作员的提示 / notices for the operator; they do not degrade the status",
        examples=[[]],
    )
    archive: ArchiveData | None = _field("归档用量", "how full the archive is, null before the first look", None)


def load_scene(text: str | None) -> dict[str, Any] | None:
    """Scene column → answer."""
    if not text:
        return None
    loaded: dict[str, Any] = json.loads(text)
    return loaded
