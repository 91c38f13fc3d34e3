"""The deck's own log."""

import logging


def configure_logging(level: int = logging.INFO) -> None:
    """Log to stderr, one line for each record. Uvicorn's lines look the same."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s  %(message)s", force=True)
    for chatty in ("alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
