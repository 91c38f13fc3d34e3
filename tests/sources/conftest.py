"""A store in a home of its own, and projects to take."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from traindeck.sources.codestore import CodeStore

LONG_AGO = time.time() - 100_000


@pytest.fixture
def store(tmp_path: Path) -> CodeStore:
    store = CodeStore.at(tmp_path / "home")
    store.prepare()
    return store


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder with these files, all of them written long ago."""

    def make(files: dict[str, str | bytes], name: str = "project") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for path, content in files.items():
            whole = folder / path
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.write_bytes(content if isinstance(content, bytes) else content.encode())
            os.utime(whole, (LONG_AGO, LONG_AGO))
        return folder

    return make
