"""What runs ran with: machine, interpreter, packages, environment; kept with each attempt, read back and compared."""
