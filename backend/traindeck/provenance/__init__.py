"""Record what attempts run with (machine, interpreter, packages, environment), read it back, and compare runs."""
