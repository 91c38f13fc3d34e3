"""Data sets of images: found on disk or fetched once, always checked, and read into tensors."""
