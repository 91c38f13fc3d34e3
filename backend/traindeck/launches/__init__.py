"""What is done to launch: find and keep a script, check its options, queue it, run it again."""
