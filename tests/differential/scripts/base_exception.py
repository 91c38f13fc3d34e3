class Stop(BaseException):
    def __str__(self):
        return "stop it"


raise Stop
