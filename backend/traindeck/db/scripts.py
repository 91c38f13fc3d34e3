"""Where the migrations lie: inside the installed package, or at the top of the checkout."""

from pathlib import Path

import traindeck


def migrations_folder() -> Path:
    """The Alembic script folder."""
    package = Path(traindeck.__file__).parent
    installed = package / "_share" / "alembic"
    return installed if installed.is_dir() else package.parent.parent / "alembic"
