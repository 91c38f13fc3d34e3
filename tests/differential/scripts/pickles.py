import dataclasses, enum, inspect, pickle, typing


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int
    colour: Colour = Colour.RED


class Pair(typing.NamedTuple):
    a: int


data = pickle.dumps([Point(1), Pair(2), Colour.RED, Point])
print(pickle.loads(data), b"__main__" in data, Point.__module__)
print(inspect.getsource(Point), inspect.getfile(Point), inspect.getmodule(Point).__name__, typing.get_type_hints(Point))
