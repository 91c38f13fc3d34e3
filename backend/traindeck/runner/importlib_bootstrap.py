"""Starts the forkserver, by its file: `python .../runner/importlib_bootstrap.py FD`.

The frame of this module is the lowest on the stack of every warm run, and is passed over for its name: see unseen.py.
With `-m` there would be two more, of `runpy`.
"""

import sys

if __name__ == "__main__":
    # Else the deck's own modules would be found beside this file by names that packages have, too.
    sys.path[0] = "/"
    from traindeck.runner.forkserver import main

    main(int(sys.argv[1]))
