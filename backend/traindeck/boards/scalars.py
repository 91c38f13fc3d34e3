# mypy: disallow-untyped-calls=False
"""One point of a scalar, in a tenth of the memory that TensorBoard's own message of it takes."""

from typing import Any

from tensorboard.compat.proto import tensor_pb2, tensor_shape_pb2, types_pb2


class ScalarEvent:
    """What an accumulator keeps of one point; its `tensor_proto` is made when somebody reads it."""

    __slots__ = ("step", "tag", "value", "wall_time")

    def __init__(self, wall_time: float, step: int, tag: str, value: float) -> None:
        self.wall_time = wall_time
        self.step = step
        self.tag = tag
        self.value = value

    @property
    def tensor_proto(self) -> Any:
        """The value as TensorBoard's reader would have kept it: a tensor without dimensions."""
        shape = tensor_shape_pb2.TensorShapeProto()  # type: ignore[attr-defined]
        dtype = types_pb2.DT_FLOAT  # type: ignore[attr-defined]
        return tensor_pb2.TensorProto(dtype=dtype, tensor_shape=shape, float_val=[self.value])  # type: ignore[attr-defined]
