"""Requests and answers about events, vehicles and links to the archive."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt

from api.schemas import IdRequest, ListRequest, Plain, Request, TaskNum
from traffic.events.kinds import KIND_TEXTS

Code = Annotated[StrictInt, Field(ge=0, le=2**31 - 1)]
Kind = Annotated[StrictInt, Field(ge=1001, le=1018)]
_KINDS = "、".join(f"{int(kind)} {text}" for kind, text in KIND_TEXTS.items())
_MOMENT = "yyyy-MM-dd HH:mm:ss"


def _moment(chinese: str, english: str) -> Any:
    return Field(
        None,
        description=f"{chinese}, {_MOMENT}, 服务器时区 / {english}, in the server's time zone",
        max_length=19,
        examples=["2026-11-24 08:00:00"],
    )


def _field(chinese: str, english: str, example: object) -> Any:
    return Field(description=f"{chinese} / {english}", examples=[example])


class EventListRequest(ListRequest):
    """Which events, newest first; what is null lets everything pass. Without paging the newest 100."""

    taskNum: TaskNum | None = Field(None, description="任务编号, 空为全部 / of this task, null for all", examples=["100"])
    recordTypes: Annotated[list[Kind], Field(min_length=1, max_length=18)] | None = Field(
        None, description=f"事件类型: {_KINDS}; 空为全部 / kinds of events, null for all", examples=[[1001, 1013]]
    )
    roadNums: Annotated[list[Code], Field(min_length=1, max_length=64)] | None = Field(
        None, description="车道编号, 空为全部 / lanes, null for all", examples=[[1]]
    )
    state: Literal["open", "closed"] | None = Field(
        None, description="open 未结束 closed 已结束, 空为全部 / open, closed, or null for all", examples=["open"]
    )
    falseAlarm: StrictBool | None = Field(
        None, description="是否误报, 空为全部 / marked as false alarm, null for all", examples=[False]
    )
    startTime: Plain | None = _moment("发生时间从(含)", "raised from, inclusive")
    endTime: Plain | None = _moment("发生时间至(不含)", "raised to, exclusive")


class EventClose(IdRequest):
    """Ends an open event."""

    note: Plain | None = Field(None, description="备注, 空为不变 / note, null leaves it", max_length=500, examples=["已处理"])


class EventMark(IdRequest):
    """Says whether an event was a false alarm."""

    falseAlarm: StrictBool = Field(True, description="是否误报 / whether it was a false alarm", examples=[True])
    note: Plain | None = Field(None, description="备注, 空为不变 / note, null leaves it", max_length=500, examples=["阴影"])


class EventData(BaseModel):
    """One event. Times of the video, in the server's time zone; "" for not (yet)."""

    id: int = _field("数据 id", "record id", 7)
    eventId: str = _field("事件 id", "id of the incident", "vehicle_stopped-1-1764028800.0")
    taskNum: str = _field("任务编号", "task number", "100")
    recordType: int = _field("事件类型, 升级后为升级后的类型", "kind, the graver one after an upgrade", 1015)
    recordContent: str = _field("事件描述", "its text", "车辆停止")
    firstType: int = _field("首次上报的事件类型", "kind when it was raised", 1015)
    state: Literal["open", "closed"] = _field("open 未结束 closed 已结束", "open or closed", "closed")
    startTime: str = _field("迹象开始时间", "when the evidence began", "2026-11-24 08:00:00")
    recordTime: str = _field("上报时间", "raised at", "2026-11-24 08:00:10")
    upgradeTime: str = _field("升级时间", "upgraded at", "")
    closeTime: str = _field("结束时间", "ended at", "2026-11-24 08:03:00")
    closedBy: str = _field(
        "结束者: 空为系统, restart 为相机进程重启, 否则为用户名", "who ended it: empty the camera, restart, or an account", ""
    )
    confidence: float = _field("置信度 0~1", "confidence, 0 to 1", 0.93)
    roadNum: int = _field("车道编号, 0 为无", "lane, 0 for none", 1)
    regionCode: int = _field("区域编号, 0 为无", "region, 0 for none", 0)
    objectClass: str = _field("目标类别", "class of the main object", "car")
    box: list[float] = _field("目标框 x1,y1,x2,y2, 像素", "box in pixels", [182.0, 225.0, 277.0, 365.0])
    width: int = _field("画面宽度, 像素", "width of the picture, pixels", 1920)
    height: int = _field("画面高度, 像素", "height of the picture, pixels", 1080)
    detail: str = _field("详情", "detail", "")
    recordLargePath: str = _field("大图路径", "large picture", "image/2026_11/24/100/vehicle_stopped/large/1.jpg")
    recordSmallPath: str = _field("小图路径", "small picture", "image/2026_11/24/100/vehicle_stopped/small/1.jpg")
    videoPath: str = _field("录像路径", "clip", "/video/2026_11/24/100/vehicle_stopped/1.mp4")
    plate: str = _field("车牌", "plate", "川A66666")
    plateColor: int = _field("车牌颜色, 0 未知", "plate colour, 0 unknown", 1)
    vehicleType: int = _field("车型, 0 未知", "vehicle type, 0 unknown", 3)
    vehicleColor: int = _field("车辆颜色, 255 未知", "vehicle colour, 255 unknown", 4)
    weather: int = _field("天气, 0 未知", "weather, 0 unknown", 1)
    falseAlarm: bool = _field("是否误报", "marked as false alarm", False)
    note: str = _field("备注", "note", "")
    markedBy: str = _field("标记人", "who marked it", "")
    markTime: str = _field("标记时间", "when", "")


class EventDetail(EventData):
    """An event with its bodies."""

    body: dict[str, Any] | None = _field("首次推送的报文, 不含图片", "3.1 as pushed when raised, without pictures", None)
    upgradedBody: dict[str, Any] | None = _field("升级推送的报文", "3.1 as pushed when upgraded, null without", None)
    pictureThere: bool = _field("图片是否存在 (未过期)", "the picture is there: its retention has not ended", True)
    clipThere: bool = _field("录像是否已生成且未过期", "the clip is there: it is made, and its retention has not ended", True)


class EventPage(BaseModel):
    """A page of events."""

    total: int = _field("符合条件的总数", "how many there are altogether", 1)
    rows: list[EventData] = Field(description="本页事件, 新的在前 / events of this page, newest first")


class VehicleListRequest(ListRequest):
    """Which vehicles, newest first; what is null lets everything pass. Without paging the newest 100."""

    taskNum: TaskNum | None = Field(None, description="任务编号, 空为全部 / of this task, null for all", examples=["100"])
    plate: Annotated[Plain, Field(min_length=1, max_length=16)] | None = Field(
        None, description="车牌的一部分 / a part of the plate", examples=["A888"]
    )
    vehicleTypes: Annotated[list[Code], Field(min_length=1, max_length=30)] | None = Field(
        None, description="车型, 空为全部 / vehicle types, null for all", examples=[[1, 3]]
    )
    vehicleColors: Annotated[list[Code], Field(min_length=1, max_length=12)] | None = Field(
        None, description="颜色, 空为全部 / colours, null for all", examples=[[1, 10]]
    )
    roadNums: Annotated[list[Code], Field(min_length=1, max_length=64)] | None = Field(
        None, description="车道编号, 空为全部 / lanes, null for all", examples=[[1]]
    )
    startTime: Plain | None = _moment("抓拍时间从(含)", "passed from, inclusive")
    endTime: Plain | None = _moment("抓拍时间至(不含)", "passed to, exclusive")
    format: Literal["json", "csv"] = Field(
        "json",
        description="返回格式: json 或 csv (csv 不分页时最多 100000 行) / json or csv (csv without paging: at most 100000 rows)",
        examples=["json"],
    )


class VehicleData(BaseModel):
    """One vehicle that passed. null: not measured."""

    id: int = _field("数据 id", "record id", 7)
    taskNum: str = _field("任务编号", "task number", "100")
    snapshotTime: str = _field("抓拍时间, 服务器时区", "passed at, in the server's time zone", "2026-11-24 08:00:10")
    roadNum: int = _field("车道编号", "lane", 2)
    roadName: str = _field("车道描述", "name of the lane", "左转")
    trunDirNo: int = _field("转向", "turn", 1)
    objectClass: str = _field("目标类别", "class", "car")
    plateNum: str = _field("车牌", "plate", "川A888AB")
    plateColor: int = _field("车牌颜色, 0 未知", "plate colour, 0 unknown", 1)
    vehicleType: int = _field("车型, 0 未知", "vehicle type, 0 unknown", 1)
    vehicleColor: int = _field("颜色, 255 未知", "colour, 255 unknown", 255)
    vehicleSpeed: float | None = _field("车速 km/h", "speed in km/h", 61.5)
    vehicleSpacing: float | None = _field("车头间距, 米", "spacing in m", 25.6)
    timeDistance: float | None = _field("车头时距, 秒", "time headway in s", 1.9)
    runningTime: float | None = _field("行车时间, 秒", "time in the measuring section in s", 1.2)
    vehicleLength: float | None = _field("车长, 米", "length in m", 4.6)
    vehicleDirection: int = _field("车头方向 0..7", "heading", 4)
    weather: int = _field("天气, 0 未知", "weather, 0 unknown", 1)
    snapshotPath: str = _field("车牌图片路径", "plate picture", "image/2026_11/24/2/plate/small/2.jpg")
    vehicleTypePath: str = _field("车型图片路径", "vehicle picture", "image/2026_11/24/2/vehicle_snapshot/small/2.jpg")


class VehiclePage(BaseModel):
    """A page of vehicles."""

    total: int = _field("符合条件的总数", "how many there are altogether", 1)
    rows: list[VehicleData] = Field(description="本页车辆, 新的在前 / vehicles of this page, newest first")


ArchivePath = Annotated[Plain, Field(min_length=1, max_length=400)]


class SignRequest(Request):
    """Paths that are to be opened without a token."""

    paths: Annotated[list[ArchivePath], Field(min_length=1, max_length=1000)] = Field(
        description="图片或录像的路径, 同推送 / paths of pictures or clips as pushed",
        examples=[["/video/2026_11/24/100/vehicle_stopped/1.mp4"]],
    )
    ttlSeconds: Annotated[StrictInt, Field(ge=1, le=30 * 86_400)] = Field(
        3600, description="有效秒数 / how many seconds they hold", examples=[3600]
    )


class LinkData(BaseModel):
    """A link."""

    path: str = _field("路径", "the path asked for", "/video/2026_11/24/100/vehicle_stopped/1.mp4")
    url: str = _field("带签名的相对地址", "the path with its signature", "/video/1.mp4?expires=1764028800&signature=00")
