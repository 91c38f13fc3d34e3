"""Contents are kept once, stay whole, and go when nobody uses them."""

import errno
import hashlib
import os
import resource
import signal
import threading

import pytest

from traindeck.sources.blobs import BlobMissing

CONTENT = b"print('hello')\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_a_content_is_kept_once_read_only_under_its_digest(store):
    assert store.blobs.put_bytes(CONTENT) == DIGEST
    first = store.blobs.path(DIGEST).stat()

    assert store.blobs.put_bytes(CONTENT) == DIGEST
    again = store.blobs.path(DIGEST).stat()
    assert (first.st_ino, first.st_mode & 0o777) == (again.st_ino, 0o444)
    assert list(store.blobs.partial.iterdir()) == []


def test_a_file_of_any_size_is_kept_and_stays(store, tmp_path):
    source = tmp_path / "data.bin"
    source.write_bytes(os.urandom(3_000_000))

    digest = store.blobs.put_file(source)

    assert source.exists()
    assert store.blobs.path(digest).read_bytes() == source.read_bytes()


def test_what_is_linked_takes_no_more_room(store, tmp_path):
    store.blobs.put_bytes(CONTENT)

    for number in range(3):
        store.blobs.link(DIGEST, tmp_path / f"{number}.py")

    assert store.blobs.path(DIGEST).stat().st_nlink == 4
    assert (tmp_path / "2.py").read_bytes() == CONTENT


def test_a_damaged_content_is_replaced_and_no_link_to_the_damaged_one_is_made(store, tmp_path):
    store.blobs.put_bytes(CONTENT)
    path = store.blobs.path(DIGEST)
    path.chmod(0o644)
    path.write_bytes(b"damaged")

    assert not store.blobs.holds(DIGEST)
    store.blobs.put_bytes(CONTENT)
    store.blobs.link(DIGEST, tmp_path / "whole.py")

    assert (tmp_path / "whole.py").read_bytes() == CONTENT


def test_a_content_that_was_damaged_before_the_deck_started_is_found_out(store):
    path = store.blobs.path(DIGEST)
    path.parent.mkdir()
    path.write_bytes(b"torn by a power cut")

    assert not store.blobs.holds(DIGEST)
    assert store.blobs.put_bytes(CONTENT) == DIGEST
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("reason", [errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP])
def test_where_links_cannot_be_made_a_copy_takes_their_place(store, tmp_path, monkeypatch, reason):
    store.blobs.put_bytes(CONTENT)

    def refuse(*_args, **_options):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "link", refuse)
    store.blobs.link(DIGEST, tmp_path / "copy.py")

    assert (tmp_path / "copy.py").read_bytes() == CONTENT
    assert (tmp_path / "copy.py").stat().st_nlink == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.py", "home"]


def test_beyond_the_links_that_a_file_may_have_another_file_takes_over(store, tmp_path):
    store.blobs.put_bytes(CONTENT)
    first = store.blobs.path(DIGEST).stat().st_ino
    link, refused = os.link, []

    def once_full(source, target, **options):
        if not refused:
            refused.append(target)
            raise OSError(errno.EMLINK, "Too many links")
        link(source, target, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", once_full)
        store.blobs.link(DIGEST, tmp_path / "one_more.py")

    now = store.blobs.path(DIGEST).stat()
    assert now.st_ino != first
    assert now.st_nlink == 2
    assert (tmp_path / "one_more.py").read_bytes() == CONTENT


def test_a_content_that_is_not_kept_is_named_when_it_is_linked(store, tmp_path):
    with pytest.raises(BlobMissing, match="not kept"):
        store.blobs.link(DIGEST, tmp_path / "none.py")


def test_only_what_nobody_links_is_swept_and_not_before_its_time(store, tmp_path):
    store.blobs.put_bytes(CONTENT)
    linked = store.blobs.put_bytes(b"linked")
    store.blobs.link(linked, tmp_path / "linked.py")

    assert store.blobs.sweep() == 0
    assert store.blobs.sweep(unused_seconds=0) == 1
    assert store.blobs.holds(linked)
    assert not store.blobs.holds(DIGEST)

    (tmp_path / "linked.py").unlink()
    # Unlinking is a change too: whoever launches the same code now still finds it.
    assert store.blobs.sweep() == 0
    assert store.blobs.sweep(unused_seconds=0) == 1


def test_a_launch_during_a_sweep_finds_what_it_has_just_looked_at(store, tmp_path):
    """Whatever the order: a content that `put` has answered for is there to be linked."""
    stop = threading.Event()
    sweeps = []

    def sweep():
        while not stop.is_set():
            sweeps.append(store.blobs.sweep(unused_seconds=0.2))

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        for number in range(300):
            digest = store.blobs.put_bytes(CONTENT)
            target = tmp_path / f"{number}.py"
            store.blobs.link(digest, target)
            target.unlink()
    finally:
        stop.set()
        thread.join()
    assert sweeps


def test_a_full_disk_leaves_nothing_behind(store):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            store.blobs.put_bytes(bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert list(store.blobs.partial.iterdir()) == []
    assert store.blobs.put_bytes(bytes(5000))
