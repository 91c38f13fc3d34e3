"""A boards process that is killed is replaced at once; one that dies again and again is not started without a pause."""

import asyncio
from pathlib import Path

from boards.stub_boards import ECHO, EXITS, stub
from traindeck.boards import supervisor
from traindeck.boards.supervisor import Child, Supervisor, Unavailable


def supervise(tmp_path: Path, program: str) -> Supervisor:
    return Supervisor(tmp_path / "boards.log", 5, 60.0, 500, str(stub(tmp_path, program)))


async def kill_and_ask(boards: Supervisor, times: int) -> list[Child | Unavailable]:
    answers = []
    for _ in range(times):
        child = boards.now()
        if isinstance(child, Child):
            child.process.kill()
            await child.process.wait()
        answers.append(await boards.ensure())
    await boards.stop()
    return answers


def test_six_quick_kills_cost_no_pause(tmp_path: Path) -> None:
    answers = asyncio.run(kill_and_ask(supervise(tmp_path, ECHO), 7))
    assert all(isinstance(answer, Child) for answer in answers)
    assert len({answer.process.pid for answer in answers if isinstance(answer, Child)}) == 7


def test_deaths_without_end_lead_to_a_pause(tmp_path: Path) -> None:
    answers = asyncio.run(kill_and_ask(supervise(tmp_path, ECHO), supervisor.DEATHS_WITHOUT_PAUSE + 4))
    last = answers[-1]
    assert isinstance(last, Unavailable)
    assert "times in a row" in last.reason
    assert 0 < last.retry_after_seconds < 1


def test_a_process_that_does_not_come_up_is_tried_again_once_at_once(tmp_path: Path) -> None:
    answers = asyncio.run(kill_and_ask(supervise(tmp_path, EXITS), 2))
    assert all(isinstance(answer, Unavailable) for answer in answers)
    pauses = [answer.retry_after_seconds for answer in answers if isinstance(answer, Unavailable)]
    assert pauses[0] <= 0 < pauses[1]
