class Told:
    def __del__(self):
        print("told", NAME)


NAME = "other"
told = Told()
