"""The HTTP side of a deck: one thin module for each resource."""
