"""Every setting of a deck. Each is an option of `traindeck serve` and an environment variable TRAINDECK_<NAME>."""

import os
import sys
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


def usable_cpus() -> int:
    """Return how many cores this process may use; an affinity or a container can limit it."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Settings(BaseSettings):
    """The settings of one deck, from arguments, then the environment, then the defaults."""

    model_config = SettingsConfigDict(env_prefix="TRAINDECK_", extra="ignore")

    home: Path = Field(
        default_factory=lambda: user_data_path("traindeck"),
        description="The folder that holds the deck: database, runs, data sets",
    )
    host: str = Field("127.0.0.1", description="The address to listen on; loopback only")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one")
    cpus: int = Field(default_factory=usable_cpus, ge=1, le=4096, description="CPU slots for runs")
    gpus: Annotated[tuple[int, ...] | None, NoDecode] = Field(
        None,
        description="Indices of the GPUs that runs may use, such as 0,1. Default: all that NVML finds",
    )
    grace_seconds: float = Field(10.0, ge=0, le=3600, description="Time from TERM to KILL when a run is stopped")
    cold: bool = Field(False, description="Start every run in a fresh Python instead of the warm forkserver")
    upload_limit_mb: int = Field(200, ge=1, le=10_000, description="The largest upload, in MB")
    import_limit_mb: int = Field(
        10_000, ge=1, le=100_000_000, description="The largest folder of event files that an import copies, in MB"
    )
    disk_reserve_mb: int = Field(500, ge=0, le=100_000_000, description="Disk space that copies leave free, in MB")
    board_limit: int = Field(50, ge=1, le=1000, description="TensorBoards kept open at a time")
    board_memory_mb: int = Field(1000, ge=200, le=1_000_000, description="Memory for all TensorBoards, in MB")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        try:
            str(home).encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"must be a path in UTF-8; got {str(home)!r}. Choose another folder") from error
        return home.expanduser().absolute()

    @field_validator("host")
    @classmethod
    def _loopback(cls, host: str) -> str:
        if host not in LOOPBACK_HOSTS:
            raise ValueError(
                f"must be a loopback address, because a deck has no access control; got {host!r}. Use 127.0.0.1"
            )
        return host

    @field_validator("gpus", mode="before")
    @classmethod
    def _indices(cls, gpus: object) -> object:
        if not isinstance(gpus, str):
            return gpus
        parts = [part.strip() for part in gpus.split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() for part in parts) or len(set(parts)) < len(parts):
            raise ValueError(f"must be a list of different GPU indices such as 0,1; got {gpus!r}")
        return tuple(int(part) for part in parts)
