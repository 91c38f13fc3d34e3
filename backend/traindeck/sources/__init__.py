"""The code of runs: kept once by its content, as it was at launch, with what git knows of it."""
