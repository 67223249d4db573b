"""Table of the rights to act."""

from sqlmodel import BigInteger, Column, Field, SQLModel


class FenceRow(SQLModel, table=True):
    """Who may act under a name (``camera-17``, ``pusher-0``, ``supervisor``): the holder of the newest token."""

    __tablename__ = "fence"

    name: str = Field(primary_key=True, max_length=80)
    token: int = Field(sa_column=Column(BigInteger, nullable=False))
