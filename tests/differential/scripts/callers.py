"""Whoever looks up the stack for its caller finds none beyond the script."""
import logging
import sys
import warnings

logging.basicConfig(level=logging.INFO, format="%(filename)s:%(funcName)s %(message)s")


def far(level):
    warnings.warn(f"level {level}", stacklevel=level)
    logging.info("level %d", level, stacklevel=min(level, 2))


async def never():
    pass


for level in range(1, 8):
    far(level)
warnings.warn("from the top", stacklevel=2)
sys.stderr.flush()
never()
kept = never()
