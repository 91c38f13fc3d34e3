"""Launch runs: find and keep a script, check its options, queue it, repeat it, import runs; without the web."""
