import asyncio, signal, time


async def main():
    async def later(seconds, name):
        await asyncio.sleep(seconds)
        return name

    process = await asyncio.create_subprocess_exec("echo", "from a subprocess", stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    print(await asyncio.gather(later(0.01, "a"), later(0, "b")), output)
    await asyncio.to_thread(print, "in a thread")


asyncio.run(main())
told = []
signal.signal(signal.SIGALRM, lambda number, frame: told.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01)
while not told:
    time.sleep(0.01)
print(told)


async def never():
    pass


never()
