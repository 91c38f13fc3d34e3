def inner(value):
    return {"a": 1}[value]


def outer():
    try:
        inner("missing")
    except KeyError as error:
        raise ValueError("outer\nsecond line") from error


try:
    outer()
except ValueError:
    raise RuntimeError(
        "while handling", 42,
    )
