"""Every outgoing body of the manual (chapter 3), field by field in its names, order and types.

They are published as webhooks in the OpenAPI document; ``encode`` fills those whose facts exist.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Text = str


class Body(BaseModel):
    """Base: nothing beyond the manual's fields."""

    model_config = ConfigDict(extra="forbid")


def _f(chinese: str, english: str, example: object) -> Any:
    return Field(description=f"{chinese} / {english}", examples=[example])


class EventBody(Body):
    """3.1 事件告警数据推送 / traffic event"""

    taskNum: Text = _f("任务编号", "task number", "3")
    taskName: Text = _f("任务名称", "task name", "事件检测任务")
    srcAddress: Text = _f("视频源地址", "video source", "rtsp://192.168.1.96:554/h264/ch1/main/av_stream")
    recordLargePath: Text = _f("抓拍图片相对路径", "path of the picture", "image/2019_03/04/1/illegal_parking/large/1.jpg")
    recordType: Int32 = _f("事件类型 1001..1018", "kind of event", 1001)
    recordContent: Text = _f("事件描述", "description", "车辆违停")
    imgBase64: Text | None = Field(None, description="抓拍图片 Base64 / picture, only when uploadImgStatus is 1")
    recordTime: Text = _f("事件记录时间", "time, yyyy-MM-dd HH:mm:ss", "2018-01-01 12:09:18")
    videoPath: Text = _f("视频录制存放地址", "path of the clip", "/video/2019_08/02/111/illegal_parking/111.mp4")
    vehicleType: Int32 = _f("车辆类型", "vehicle type, 0 unknown", 3)
    vehicleColor: Int32 = _f("车辆颜色", "vehicle colour, 255 unknown", 4)
    plate: Text = _f("车牌号", "plate", "川A66666")
    plateColor: Int32 = _f("车牌颜色", "plate colour, 0 unknown", 1)
    weather: Int32 = _f("天气识别", "weather, 0 unknown", 1)
    Pos: Text = _f("事件坐标", "JSON text with height, width, x, y", '{"height":140,"width":95,"x":182,"y":225}')


class VehicleSnapshotBody(Body):
    """3.2 实时车流量数据推送 / one vehicle, when it passes"""

    taskNum: Text = _f("任务编号", "task number", "100")
    taskName: Text = _f("任务名称", "task name", "测试任务")
    snapshotPath: Text = _f("车牌图片相对路径", "path of the plate picture", "image/2019_03/04/2/plate/small/2.jpg")
    vehicleTypePath: Text = _f(
        "车型图片相对路径", "path of the vehicle picture", "image/2019_03/04/2/vehicle_snapshot/small/2.jpg"
    )
    imgBase64: Text | None = Field(None, description="车牌图片 Base64 / plate picture, only when uploadImgStatus is 1")
    imgBase64Type: Text | None = Field(None, description="车型图片 Base64 / vehicle picture, only when uploadImgStatus is 1")
    roadNum: Int32 = _f("车道编号", "lane number", 2)
    roadName: Text = _f("车道描述", "lane name", "左转")
    trunDirNo: Text = _f("转向 id: 1 左转 2 直行 3 右转 4 掉头 0 其它", "turn", "1")
    plateNum: Text = _f("车牌", "plate", "川A888AB")
    vehicleType: Int32 = _f("车型", "vehicle type, 0 unknown", 1)
    vehicleColor: Int32 = _f("颜色", "colour, 255 unknown", 255)
    vehicleSpeed: Int32 = _f("车速 km/h", "speed, -1 not measured", 92)
    snapshotTime: Text = _f("抓拍时间", "time, yyyy-MM-dd HH:mm:ss", "2018-01-01 12:09:18")
    runningTime: int = _f("行车时间, 毫秒", "ms in the measuring section, -1 not measured", 105)
    vehicleSpacing: int = _f("车头间距, 厘米", "spacing in cm, -1 not measured", 2565)
    timeDistance: int = _f("车头时距, 毫秒", "time headway in ms, -1 not measured", 1015)
    vehicleDirection: Int32 = _f("车头方向 0..7", "heading", 4)
    date: Text = _f("上传时间", "time, yyyy/MM/dd HH:mm", "2018/01/01 12:09")
    dataSource: Text = _f("数据来源", "data source", "通甲优博")
    weather: Int32 = _f("天气", "weather, 0 unknown", 1)


class VehicleBatchItem(Body):
    """3.3 批量车流量数据推送 / one vehicle of a period; the body is an array of these"""

    taskNum: Text = _f("任务编号", "task number", "100")
    taskName: Text = _f("任务名称", "task name", "测试任务")
    snapshotPath: Text = _f("车牌图片相对路径", "path of the plate picture", "image/2019_03/04/2/plate/small/2.jpg")
    vehicleTypePath: Text = _f(
        "车型图片相对路径", "path of the vehicle picture", "image/2019_03/04/2/vehicle_snapshot/small/2.jpg"
    )
    imgBase64: Text | None = Field(None, description="车牌图片 Base64 / plate picture, only when uploadImgStatus is 1")
    imgBase64Type: Text | None = Field(None, description="车型图片 Base64 / vehicle picture, only when uploadImgStatus is 1")
    roadNum: Int32 = _f("车道编号", "lane number", 2)
    plateNum: Text = _f("车牌", "plate", "川A888AB")
    vehicleType: Int32 = _f("车型", "vehicle type, 0 unknown", 1)
    vehicleColor: Int32 = _f("颜色", "colour, 255 unknown", 255)
    vehicleSpeed: Int32 = _f("车速 km/h", "speed, -1 not measured", 92)
    plateColor: Int32 = _f("车牌颜色", "plate colour, 0 unknown", 1)
    snapshotTime: Text = _f("抓拍时间", "time, yyyy-MM-dd HH:mm:ss", "2018-01-01 12:09:18")
    runningTime: int = _f("行车时间, 毫秒", "ms in the measuring section, -1 not measured", 105)
    vehicleSpacing: int = _f("车头间距, 厘米", "spacing in cm, -1 not measured", 2565)
    timeDistance: int = _f("车头时距, 毫秒", "time headway in ms, -1 not measured", 1015)
    vehicleDirection: Int32 = _f("车头方向 0..7", "heading", 4)


class TrafficParameterItem(Body):
    """3.4 综合交通参数 / parameters of one lane; the body is an array of these"""

    id: int = _f("数据 id", "record id", 11)
    taskId: int = _f("任务 id", "task id", 130)
    taskNum: Text = _f("任务编号", "task number", "111")
    taskName: Text = _f("任务名称", "task name", "dss")
    snapshotTime: Text = _f("采集时间", "time of collection", "2018-11-19 11:29:27")
    spacingPercent: float = _f("车道空间占有率", "space occupancy, 0..1", 0.67)
    timePercent: float = _f("车道时间占有率", "time occupancy, 0..1", 0.76)
    queueLength: Int32 = _f("排队长度, 厘米", "queue length in cm", 56)
    queueNum: Int32 = _f("排队数量", "vehicles in the queue", 32)
    roadNum: Int32 = _f("车道编号", "lane number", 1)


class PeopleFlowItem(Body):
    """People in and out of one region."""

    taskNum: Text = _f("任务编号", "task number", "2")
    taskName: Text = _f("任务名称", "task name", "任务2")
    regionCode: int = _f("区域编号", "region", 101)
    peopleIn: Int32 = _f("进人数", "people in", 10)
    peopleOut: Int32 = _f("出人数", "people out", 6)
    uploadTime: Text = _f("本次上传时间", "time of this upload", "2018-10-10 03:08:46")
    lastUploadTime: Text = _f("上次上传时间", "time of the last upload", "2018-10-10 03:08:41")


class PeopleDensityItem(Body):
    """Density of one region."""

    taskNum: Text = _f("任务编号", "task number", "1")
    taskName: Text = _f("任务名称", "task name", "任务1")
    regionCode: int = _f("区域编号", "region", 101)
    gatherTime: Text = _f("采集时间", "time of collection", "2018-09-28 07:27:21")
    peopleNum: int = _f("人数", "people", 15)
    area: float = _f("面积, 平方米", "area in m²", 15)
    density: float = _f("密度", "people per m²", 1)


class PeopleBody(Body):
    """3.5 人流量数据推送 / people flow and density"""

    peopleFlowToday: list[PeopleFlowItem] = Field(description="人流量数据 / people flow")
    peopleDensityToday: list[PeopleDensityItem] = Field(description="密度数据 / people density")


class CrowdAlarmBody(Body):
    """3.6 人员聚集告警数据推送 / crowd alarm"""

    taskNum: Text = _f("任务编号", "task number", "1")
    taskName: Text = _f("任务名称", "task name", "测试任务")
    regionCode: Int32 = _f("区域编号", "region", 100)
    peopleNum: int = _f("人数", "people", 10)
    area: float = _f("面积", "area in m²", 1.0)
    density: float = _f("密度", "people per m²", 10.0)
    srcAddress: Text = _f("图片路径", "path of the picture", "image/2019_02/28/9/crowd/large/9.jpg")
    alarmTime: Text = _f("告警时间", "time", "2018-01-01 12:09:18")
    imgBase64: Text | None = Field(description="图片 Base64 / picture, null when not asked for")


class TaskStatusBody(Body):
    """3.6(2) 任务状态数据推送 / status of a task"""

    taskNum: Text = _f("任务编号", "task number", "1")
    taskName: Text = _f("任务名称", "task name", "测试任务")
    taskStatus: Int32 = _f("任务状态编号 0..3", "status", 0)
    taskStatusName: Text = _f("任务状态", "name of the status", "未启动")
