"""The keys of a 纷享销客 connection in ``crmsync.yaml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class FxiaokeSettings(BaseModel):
    """How one company's tenant is reached. Secrets are references (``secret:NAME``), never values.

    ``host`` is the open-platform address of the cloud the company lives in, for instance
    ``https://open.fxiaoke.com`` or ``https://open-hwcloud.fxiaoke.com``. ``user_id`` is the
    employee (员工ID, such as 1000) whose permissions every call has. ``calls_per_day`` is the
    bought quota; crmsync stops before its last ``keep_calls_percent`` so that other integrations
    are not starved. ``index_lag_seconds`` and ``late_commit_seconds`` say how long a search may lag
    and how late a write may still land; neither is documented, so they are set with room to spare.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    host: Filled = "https://open.fxiaoke.com"
    app_id: Filled
    app_secret: Filled = "secret:fxiaoke/app_secret"  # noqa: S105 - a reference
    permanent_code: Filled = "secret:fxiaoke/permanent_code"
    user_id: Filled
    time_zone: Filled = "Asia/Shanghai"
    calls_per_20_seconds: int = Field(default=95, ge=1, le=10_000)
    calls_per_day: int | None = Field(default=None, ge=1)
    keep_calls_percent: int = Field(default=10, ge=0, le=90)
    parallel_calls: int = Field(default=3, ge=1, le=8)
    index_lag_seconds: int = Field(default=60, ge=0, le=3600)
    late_commit_seconds: int = Field(default=120, ge=1, le=3600)
