"""What Traindeck costs and saves, beside what one would do without it. `make bench` measures all of it."""
