"""Requests and answers of the console's own routes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt

from api.schemas import Id, Plain, Request

Width = Annotated[StrictInt, Field(ge=160, le=1920)]


class ProbeRequest(Request):
    """A source to look at before it becomes a task."""

    srcAddress: Plain = Field(
        description="视频源地址 / video source",
        examples=["rtsp://admin:12345@192.168.1.96:554/h264/ch1"],
        max_length=2048,
        min_length=1,
    )
    rtspTransport: Literal["tcp", "udp"] = Field("tcp", description="RTSP 传输方式 / RTSP transport", examples=["tcp"])
    id: Id | None = Field(
        None,
        description="已有任务 id; 地址中的 *** 取其已存密码 / a task whose stored password stands for *** in the address",
        examples=[2],
    )


class ProbeData(BaseModel):
    """What a source showed."""

    width: int = Field(description="画面宽度, 像素 / width in pixels", examples=[1920])
    height: int = Field(description="画面高度, 像素 / height in pixels", examples=[1080])
    codec: str = Field(description="视频编码 / video codec", examples=["h264"])
    fps: float = Field(description="标称帧率 / nominal frames per second", examples=[25.0])
    live: bool = Field(description="是否实时视频 / live, not a recording", examples=[True])
    picture: str = Field(description="首帧 JPEG, Base64 / first picture as JPEG in Base64", examples=["/9j/4AAQSkZJRgABAQ…"])


class SnapshotRequest(Request):
    """Which picture of a task."""

    id: Id
    maxWidth: Width = Field(1280, description="最大宽度, 像素 / at most so wide, pixels", examples=[640])
    drawn: StrictBool = Field(True, description="是否叠加车道与目标框 / with lanes and boxes drawn", examples=[True])


class LiveRequest(Request):
    """Which task to watch."""

    id: Id
    maxWidth: Width = Field(960, description="最大宽度, 像素 / at most so wide, pixels", examples=[960])
    maxFps: Annotated[float, Field(gt=0, le=15)] = Field(8.0, description="最高帧率 / at most so many a second", examples=[8])


class SceneRequest(Request):
    """A scene document to check, finished or not."""

    scene: dict[str, Any] = Field(description="场景文档 / scene document")


class SceneFault(BaseModel):
    """One fault or warning."""

    path: str = Field(description="位置 / where", examples=["lanes[0].polygon"])
    chinese: str = Field(description="中文说明 / in Chinese", examples=["不可自交"])
    english: str = Field(description="英文说明 / in English", examples=["must not cross itself"])


class SceneCheck(BaseModel):
    """What is wrong with a scene, and its metre grid for judging the calibration by eye."""

    problems: list[SceneFault] = Field(description="错误 / faults")
    warnings: list[SceneFault] = Field(description="提示 / warnings")
    grid: list[list[list[float]]] = Field(
        description="路面网格线, 相对图像坐标, 未标定为空 / metre grid as relative image points, empty uncalibrated"
    )
    gridStepM: float = Field(description="网格间距, 米 / distance of grid lines in metres", examples=[5.0])


class PushTestData(BaseModel):
    """Outcome of a test push."""

    success: bool = Field(description="接收方是否接受 / the receiver took it", examples=[True])
    status: int = Field(description="HTTP 状态码, 0 无应答 / HTTP status, 0 without an answer", examples=[200])
    latencyMs: float = Field(description="耗时, 毫秒 / milliseconds", examples=[12.5])
    excerpt: str = Field(description="应答开头或失败原因 / head of the answer, or what failed", examples=["ok"])
    body: str = Field(description="推送的示例报文 / the example body that was sent", examples=['{"taskNum":"100"}'])


class MeData(BaseModel):
    """Who is signed in."""

    id: int = Field(description="账号 id / id of the account", examples=[3])
    username: str = Field(description="用户名 / user name", examples=["admin"])
    role: str = Field(description="角色 / role", examples=["admin"])


class LoadData(BaseModel):
    """How busy a machine is."""

    cpus: int = Field(description="CPU 核数 / CPU cores", examples=[16])
    minute: float = Field(description="一分钟平均负载 / load average of a minute", examples=[3.2])
    memoryTotal: int = Field(description="内存, 字节 / memory in bytes", examples=[68719476736])
    memoryFree: int = Field(description="可用内存, 字节 / memory that is available, bytes", examples=[34359738368])


class StorageData(BaseModel):
    """What the archive holds, as counted at the last look."""

    files: int = Field(description="文件数 / files", examples=[182000])
    bytes: int = Field(description="字节数 / bytes", examples=[21474836480])
    mostBytes: int = Field(description="保留上限, 字节 / most that is kept, bytes", examples=[107374182400])
    days: float = Field(description="保留天数 / days that are kept", examples=[30.0])
    complete: bool = Field(description="是否已全部统计 / everything has been counted", examples=[True])


class SystemData(BaseModel):
    """What runs here."""

    version: str = Field(description="版本 / version", examples=["0.1.0"])
    time: str = Field(description="服务器时间 / server time", examples=["2026-11-24 08:00:00"])
    timeZone: str = Field(description="时区 / time zone", examples=["Asia/Shanghai"])
    about: dict[str, str] = Field(description="运行参数 / what it runs with", examples=[{"detector": "picodet-s"}])
    machines: list[dict[str, Any]] = Field(
        description="集群节点 / nodes of the cluster",
        examples=[
            [
                {
                    "address": "10.0.0.7",
                    "alive": True,
                    "cpus": 16,
                    "gpus": 1,
                    "memory_bytes": 68719476736,
                    "site": "east",
                    "cameras": 12,
                }
            ]
        ],
    )
    load: LoadData = Field(description="API 所在机器的负载 / load of the machine that serves the API")
    storage: StorageData | None = Field(description="图片与录像占用, 未统计为空 / what is kept, null until it was counted")
    disk: dict[str, int] = Field(
        description="存储空间, 字节 / bytes of the disk of the archive", examples=[{"total": 1, "free": 1}]
    )
