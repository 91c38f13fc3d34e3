def work():
    return 1 / 0


work()
