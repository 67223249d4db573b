"""Registered receivers."""

from sqlmodel import Field, SQLModel


class Interface(SQLModel, table=True):
    """One receiver, the fields of the manual's 2.1. ``task_nums`` is a JSON list or "" for all tasks.

    ``accept_2xx``: any 2xx is success, not only 200. ``secret`` signs its deliveries ("" for none); the previous one signs as
    well until ``previous_secret_until``.
    """

    __tablename__ = "push_interface"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    business_type: int
    trigger_condition: int
    upload_period: int = 0
    content_type: int = 1
    method: int = 1
    url: str = Field(max_length=2048)
    upload_img_status: int = 0
    company_name: str = Field(default="", max_length=200)
    company_id: str = Field(default="", max_length=200)
    app_id: str = Field(default="", max_length=200)
    push_response: int = 1
    task_nums: str = ""
    enabled: bool = True
    accept_2xx: bool = False
    secret: str = Field(default="", max_length=200)
    previous_secret: str = Field(default="", max_length=200)
    previous_secret_until: float = 0.0
    created_at: float = 0.0
    updated_at: float = 0.0
