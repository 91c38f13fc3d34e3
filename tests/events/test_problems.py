"""What is left out of the charts, or corrected, is kept with the store, for whoever shows it."""

import os
import struct
from pathlib import Path

import pytest
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from torch.utils.tensorboard import SummaryWriter

from events.eventfiles import NAME, masked, read_all, scalar, stored, version, write
from events.test_cases import record, tensor
from traindeck.events.eventfile import LARGE_LIMIT_BYTES
from traindeck.events.series import PROBLEMS_LIMIT, list_problems
from traindeck.events.tail import AttemptTail, catch_up


def broken(content: bytes) -> bytes:
    return content[:20] + bytes([content[20] ^ 1]) + content[21:]


def test_problems_stay_with_the_store_until_they_are_mended(work: Path, store: Path) -> None:
    path = write(work / NAME, version(), scalar("loss", 0, 0), broken(scalar("loss", 1, 1)))
    told = catch_up(work, store, 60).problems
    assert [problem.split(":")[0] for problem in told] == [NAME]
    assert list_problems(store) == told
    # The next server finds nothing new, and forgets nothing.
    assert catch_up(work, store, 60).problems == list_problems(store) == told
    path.unlink()
    write(path, *(scalar("loss", step, step, 1.8e9) for step in range(3)))
    catch_up(work, store, 60)
    assert list_problems(store) == []
    assert len(stored(store)["loss"]) == 3


def test_a_store_that_is_not_there_or_was_written_before_has_no_problems(work: Path, store: Path) -> None:
    assert list_problems(store) == []
    store.mkdir()
    (store / "state").write_bytes(b"nothing of the kind")
    assert list_problems(store) == []


def test_at_most_twenty_problems_of_bounded_length_are_kept(work: Path, store: Path) -> None:
    deep = "/".join("x" * 200 for _ in range(10))
    for number in range(50):
        write(work / deep / f"{number}.{NAME}.gz", b"\x1f\x8b" + b"\1" * 50)
    catch_up(work, store, 60)
    problems = list_problems(store)
    assert len(problems) == PROBLEMS_LIMIT
    assert problems[-1] == "and 31 more problems of this kind"
    assert all(f"{NAME}.gz: it is compressed" in problem and len(problem) < 400 for problem in problems[:-1])


def test_names_that_are_no_utf_8_are_escaped(work: Path, store: Path) -> None:
    write(work / os.fsdecode(b"bad\xff") / NAME, b"no event file at all")
    catch_up(work, store, 60)
    (problem,) = list_problems(store)
    assert problem.startswith(f"bad\\xff/{NAME}: ")
    problem.encode()


def test_an_event_too_large_to_be_read_is_counted_also_after_a_restart(work: Path, store: Path) -> None:
    path = write(work / NAME, version(), scalar("loss", 0, 0))
    length = struct.pack("<Q", LARGE_LIMIT_BYTES + 1)
    with path.open("ab") as file:
        file.write(length + struct.pack("<I", masked(length)))
        file.truncate(file.tell() + LARGE_LIMIT_BYTES + 1 + 4)
    write(path, scalar("loss", 1, 1))
    catch_up(work, store, 60)
    write(path, scalar("loss", 2, 2))
    catch_up(work, store, 60)
    assert [step for step, _, _ in stored(store)["loss"]] == [0, 1, 2]
    (problem,) = list_problems(store)
    assert problem.startswith(f"{NAME}: 1 of its events left out: more than 64 MiB")


def test_where_a_first_restart_withdraws_points_the_difference_to_tensorboard_is_said(work: Path, store: Path) -> None:
    for part, purge_step in enumerate([None, 20, 10]):
        with SummaryWriter(str(work / "a"), purge_step=purge_step, filename_suffix=f".{part}") as writer:
            for step in range(purge_step or 0, 30):
                writer.add_scalar("loss", step, step)
        catch_up(work, store, 60)
        assert [step for step, _, _ in stored(store)["loss"]] == list(range(30))
        assert len(list_problems(store)) == bool(part)
    (problem,) = list_problems(store)
    assert "began again at step 20 (purge_step)" in problem
    # A first start that withdraws nothing is none that TensorBoard reads otherwise.
    begun = [SummaryWriter(str(work / "b"), purge_step=step, filename_suffix=f".{step}") for step in (0, 5)]
    for writer in begun:
        writer.add_scalar("loss", 1, 9)
        writer.close()
    catch_up(work, store, 60)
    assert list_problems(store) == [problem]


def test_series_that_are_left_out_are_said_also_after_a_restart(work: Path, store: Path) -> None:
    path = write(work / NAME, scalar("x" * 20_000, 1, 1), scalar("loss", 1, 1))
    catch_up(work, store, 60)
    write(path, scalar("loss", 2, 2))
    catch_up(work, store, 60)
    assert list_problems(store) == ["tags of more than 16384 bytes are left out"]


@pytest.mark.parametrize("scalars", [True, False])
def test_a_file_that_begins_with_a_large_event_is_read_once(
    work: Path, store: Path, tail: AttemptTail, scalars: bool
) -> None:
    values = [Summary.Value(tag="image", image=Summary.Image(encoded_image_string=b"x" * (2 << 20)))]
    if scalars:
        values.append(tensor("loss", TensorProto(dtype=1, float_val=[1])))
    path = write(work / NAME, record(0, *values))
    assert read_all(tail).new_points == scalars
    for step in range(1, 4):
        write(path, scalar("loss", step, step))
        assert read_all(tail).new_points == 1
    assert list_problems(store) == []
