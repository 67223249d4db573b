"""Camera tasks."""

from sqlmodel import Field, SQLModel


class Task(SQLModel, table=True):
    """One camera task. ``scene`` is the document as JSON text; ``revision`` counts edits."""

    __tablename__ = "camera_task"

    id: int | None = Field(default=None, primary_key=True)
    task_num: str = Field(index=True, unique=True, max_length=64)
    task_name: str = Field(max_length=200)
    src_address: str = Field(max_length=2048)
    scene: str | None = None
    analysed_fps: float = 0.0
    rtsp_transport: str = "tcp"
    loop: bool = False
    start_time: str = ""
    time_zone: str = "Asia/Shanghai"
    enabled: bool = True
    site: str = Field(default="", max_length=63)
    revision: int = 1
    created_at: float = 0.0
    updated_at: float = 0.0
