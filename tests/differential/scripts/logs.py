import logging

print(logging.root.handlers, logging.root.level, logging.getLogger("a").handlers, logging.lastResort.level, logging.raiseExceptions, flush=True)
logging.warning("basic")
logging.info("not shown")
print(logging.root.handlers, flush=True)
handler = logging.FileHandler("train.log", delay=True)
logger = logging.getLogger(__name__)
logger.addHandler(handler)
logger.setLevel(logging.DEBUG)
logger.debug("to the file")
try:
    1 / 0
except ZeroDivisionError:
    logger.exception("told")
