"""The IDX file format, in which MNIST and FashionMNIST come.

Two zero bytes, one for the element type (8: unsigned byte), one for the number of dimensions; each dimension
as a big-endian 32-bit number; then the elements.
"""

import gzip
import struct
from pathlib import Path

import torch

UNSIGNED_BYTE = 8


class NotIdx(ValueError):
    """The file is not an IDX file of unsigned bytes, or ends early."""


def read_idx(path: Path) -> torch.Tensor:
    """A uint8 tensor of the file's dimensions; a name in .gz is decompressed while reading."""
    content = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    if len(content) < 4 or content[:3] != bytes([0, 0, UNSIGNED_BYTE]):
        raise NotIdx(f"{path} is not an IDX file of unsigned bytes")
    dimensions = content[3]
    start = 4 + 4 * dimensions
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    elements = torch.frombuffer(content, dtype=torch.uint8, offset=start)
    try:
        return elements.reshape(shape)
    except RuntimeError as error:
        raise NotIdx(f"{path} holds {elements.numel()} elements, which are not {shape}") from error
