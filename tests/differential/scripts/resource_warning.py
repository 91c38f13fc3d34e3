import warnings

warnings.simplefilter("always")


def leave():
    open("left.txt", "w")


leave()
