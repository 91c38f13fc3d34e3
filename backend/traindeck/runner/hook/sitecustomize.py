"""Makes event files fresh and known in every Python that a run starts, whichever it is: see writers.py, one folder up.

This folder stands first in PYTHONPATH, by the name of a link to it in the attempt's folder. So each interpreter imports
this file as it starts, from 3.8 on, with or without Traindeck installed, and knows of which attempt it is. It takes the
folder out of `sys.path`, and gives way to the `sitecustomize` that was hidden by it.
"""

# ruff: noqa: PTH100, PTH114, PTH118, PTH120
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE_FOLDER = "TRAINDECK_MODULE_FOLDER"


def _start() -> None:
    sys.path[:] = [path for path in sys.path if path != HERE]
    _give_back_the_folder_of_a_module()
    import importlib.util

    above = os.path.dirname(os.path.realpath(HERE))
    spec = importlib.util.spec_from_file_location("_writers", os.path.join(above, "writers.py"))
    if spec is not None and spec.loader is not None:
        writers = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(writers)
        writers.flush_often()
        if os.path.islink(HERE):
            writers.link_event_files(os.path.dirname(HERE))
    _import_the_hidden_one()


def _give_back_the_folder_of_a_module() -> None:
    """For `python -m`, that folder stood in PYTHONPATH: its children are to find PYTHONPATH as it was."""
    folder = os.environ.pop(MODULE_FOLDER, None)
    if folder is None:
        return
    os.environ.pop("PYTHONSAFEPATH", None)
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if folder in parts:
        parts.remove(folder)
        os.environ["PYTHONPATH"] = os.pathsep.join(parts)
    else:
        sys.path.insert(0, folder)


def _import_the_hidden_one() -> None:
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        hidden = module_from_spec(spec)
        sys.modules["sitecustomize"] = hidden
        spec.loader.exec_module(hidden)


try:
    _start()
except Exception as error:
    # As Python itself reports a broken sitecustomize, and continues.
    sys.stderr.write("Error in sitecustomize: %s: %s\n" % (type(error).__name__, error))  # noqa: UP031 (3.8)
