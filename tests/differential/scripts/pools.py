# cases: fork | spawn | forkserver
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor


class Square:
    def __init__(self, number):
        self.number = number

    def __call__(self):
        return type(self).__module__, multiprocessing.current_process().name.partition("-")[0], self.number**2


def call(square):
    return square(), os.getcwd() == os.path.realpath("."), sys.argv[1:], sys.path[0]


def fail():
    raise ValueError("in a process")


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.map(call, [Square(2), Square(3)]))
        print([(type(one) is Square, one.number) for one in pool.map(Square, [5, 6])])
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        print(executor.submit(call, Square(4)).result())
    process = context.Process(target=fail, name="failing")
    process.start()
    process.join()
    print(process.exitcode, multiprocessing.parent_process(), multiprocessing.current_process().name)
    print(multiprocessing.get_start_method(allow_none=True))
