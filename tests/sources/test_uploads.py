"""What is sent is kept under names that were looked at, or refused with nothing left behind."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from traindeck.errors import InvalidRequest
from traindeck.sources.uploadstore import Part, tree_to_run


def zipped(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def with_entry(name: str, mode: int, data: str = "x") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3
        entry.external_attr = mode << 16
        archive.writestr(entry, data)
    return content.getvalue()


@pytest.fixture
def keep(store) -> Callable:
    def keep(*files: tuple[str, bytes | str]):
        incoming = store.uploads.incoming()
        parts = []
        for number, (name, content) in enumerate(files):
            path = incoming / f"part-{number}"
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            parts.append(Part(name, path))
        return store.uploads.keep(parts, incoming)

    return keep


def paths(upload) -> list[str]:
    return [file.path for file in upload.tree.files]


def left_behind(store) -> list[str]:
    """Contents and uploads that are kept; what is being received is removed by who received it."""
    blobs = [path.name for path in store.blobs.folder.rglob("*") if path.is_file()]
    return blobs + [path.name for path in store.uploads.folder.iterdir() if not path.name.startswith(".incoming-")]


def test_one_file_is_an_upload_that_can_be_run(store, keep):
    upload = keep(("train.py", "print(1)"))

    assert (paths(upload), upload.entries) == (["train.py"], ["train.py"])
    assert (store.uploads.folder / upload.tree.digest / "train.py").read_text() == "print(1)"
    assert tree_to_run(store.uploads.find(upload.tree.digest), None).entry == "train.py"


def test_a_zip_is_its_files_without_the_folder_that_they_lie_in(keep):
    upload = keep(("project.ZIP", zipped({
        "proj/train.py": "if __name__ == '__main__':\n    pass", "proj/a.py": "", "proj/pkg/__init__.py": "",
        "proj/pkg/b.py": "", "proj/data/x.csv": "1", "__MACOSX/proj/._train.py": "x", "proj/.DS_Store": "x",
        "proj/.git/config": "x", "proj/__pycache__/a.pyc": "x", "proj/empty/": "",
    })))  # fmt: skip

    assert paths(upload) == ["a.py", "data/x.csv", "pkg/__init__.py", "pkg/b.py", "train.py"]
    assert upload.entries == ["train.py", "a.py"]
    assert upload.mains == ["train.py"]


def test_a_folder_that_is_a_package_keeps_its_name(keep):
    upload = keep(("p.zip", zipped({"pkg/__init__.py": "", "pkg/train.py": "if __name__ == '__main__': pass"})))

    assert paths(upload) == ["pkg/__init__.py", "pkg/train.py"]
    assert upload.entries == ["pkg/train.py"]


def test_several_files_are_a_folder(keep):
    upload = keep(("proj/train.py", "1"), ("proj/conf/a.yaml", "2"), ("proj/data.zip", zipped({"x": "1"})))

    assert paths(upload) == ["conf/a.yaml", "data.zip", "train.py"]


def test_files_of_any_content_and_executables_are_kept_as_they_are(store, keep):
    content = bytes(range(256)) * 1000
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        target.writestr("data.bin", content)
        script = zipfile.ZipInfo("run.sh")
        script.external_attr = 0o100755 << 16
        target.writestr(script, "#!/bin/sh")

    upload = keep(("p.zip", archive.getvalue()))

    assert store.blobs.path(upload.tree.find("data.bin").sha256).read_bytes() == content
    assert upload.tree.find("run.sh").executable


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../x.py", "x.py"), ("/etc/cron.d/x.py", "x.py"), ("-x", "_x"), ("$(id).py", "__id_.py"), (".hidden", "_hidden"),
        ("C:\\temp\\x.py", "x.py"), ("a\r\nb\0.py", "a__b_.py"), ("größe 1.py", "größe 1.py"), ("..", "_."), ("", "file"),
        ("\u202egnp.py", "_gnp.py"), ("x" * 300 + ".py", "x" * 40 + ".py"), ("`rm -rf`;x&y|z.py", "_rm -rf__x_y_z.py"),
    ],
)  # fmt: skip
def test_a_single_file_gets_a_name_that_is_safe_whatever_it_was_called(keep, sent, kept):
    assert paths(keep((sent, "1"))) == [kept]


NAMES = ["../x.py", "a/../../x.py", "/etc/x.py", "//x.py", "C:/x.py", "a\\..\\x.py", "a/./x.py", "a//x.py", "a\nb.py",
         "a/\u202eb.py\u2028", "x" * 300, "/".join("d" * 30) + "/x.py"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_zip_with_a_name_that_leads_elsewhere_is_refused_and_nothing_of_it_is_kept(store, keep, name):
    with pytest.raises(InvalidRequest, match="cannot be unpacked"):
        keep(("p.zip", zipped({"good.py": "1", name: "2"})))
    assert left_behind(store) == []


@pytest.mark.parametrize("name", NAMES)
def test_so_is_a_folder_with_such_a_name(store, keep, name):
    with pytest.raises(InvalidRequest, match="cannot be kept"):
        keep(("good.py", "1"), (name, "2"))
    assert left_behind(store) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_a_zip_with_a_link_or_a_device_is_refused(store, keep, kind):
    with pytest.raises(InvalidRequest, match="link or a device"):
        keep(("p.zip", with_entry("link", kind | 0o777, "/etc/passwd")))
    assert left_behind(store) == []


def test_a_bomb_is_refused_before_it_has_filled_the_disk(store, keep):
    with pytest.raises(InvalidRequest, match="far more than it is"):
        keep(("p.zip", zipped({"a.bin": bytes(60_000_000)})))
    assert left_behind(store) == []


def test_an_entry_that_claims_less_than_it_unpacks_to_is_refused(store, keep):
    content = bytearray(zipped({"a.bin": bytes(50_000_000)}))
    # The size after unpacking, in the entry and in the directory.
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        position = content.index(signature) + offset
        content[position : position + 4] = struct.pack("<I", 10)

    with pytest.raises(InvalidRequest, match=r"far more than it is|can be read"):
        keep(("p.zip", bytes(content)))
    assert left_behind(store) == []


def test_a_zip_with_too_many_entries_is_refused(store, keep):
    with pytest.raises(InvalidRequest, match="5001 entries"):
        keep(("p.zip", zipped({f"{n}.py": "" for n in range(5001)})))
    with pytest.raises(InvalidRequest, match="more than 5000 entries"):
        keep(("p.zip", zipped({f"{n}{'x' * 100}.py": "" for n in range(30_000)}, zipfile.ZIP_STORED)))
    assert left_behind(store) == []


def test_an_encrypted_zip_is_refused_and_says_what_to_do(store, keep):
    content = bytearray(zipped({"a.py": "1"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1

    with pytest.raises(InvalidRequest, match="without a password"):
        keep(("p.zip", bytes(content)))
    assert left_behind(store) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_could_take_all_memory_is_refused(keep, method):
    with pytest.raises(InvalidRequest, match="deflate"):
        keep(("p.zip", zipped({"a.py": "1"}, method)))


def test_a_broken_zip_is_refused_wherever_it_is_broken(store, keep):
    whole = zipped({"train.py": "print(1)\n" * 100, "b.py": "2"})
    for broken in (b"", b"PK", whole[:-10], whole[20:], b"not a zip", whole[:40] + b"\xff" * 20 + whole[60:]):
        with pytest.raises(InvalidRequest, match="not a zip that can be read"):
            keep(("p.zip", broken))
    assert left_behind(store) == []


def test_no_byte_of_a_zip_can_be_changed_so_that_anything_but_a_refusal_comes_of_it(keep):
    whole = zipped({"train.py": "print(1)\n" * 20, "pkg/b.py": "2"})
    kept = refused = 0
    for position in range(len(whole)):
        for value in (0, whole[position] ^ 1):
            try:
                keep(("p.zip", whole[:position] + bytes([value]) + whole[position + 1 :]))
                kept += 1
            except InvalidRequest:
                refused += 1
    assert kept
    assert refused


@pytest.mark.parametrize("files", [[("a", "1"), ("a", "2")], [("a", "1"), ("a/b", "2")]])
def test_names_that_cannot_be_there_together_are_refused(store, keep, files):
    with pytest.raises(InvalidRequest, match="rename one"):
        keep(*files)
    assert left_behind(store) == []


def test_an_upload_without_files_is_refused(keep):
    with pytest.raises(InvalidRequest, match="no files"):
        keep(("p.zip", zipped({".hidden": "1", "empty/": ""})))


def test_equal_files_are_one_upload_however_they_were_sent(store, keep):
    first = keep(("a.py", "1"), ("b.py", "2"))
    second = keep(("p.zip", zipped({"top/b.py": "2", "top/a.py": "1"})))

    assert first.tree.digest == second.tree.digest
    assert store.uploads.find(first.tree.digest).entries == ["a.py", "b.py"]
    assert len(left_behind(store)) == 4


def test_an_upload_that_nobody_uses_goes_after_a_day_and_one_in_use_stays(store, keep):
    used, unused = keep(("a.py", "1")).tree.digest, keep(("b.py", "2")).tree.digest
    old = store.uploads.folder / f"{unused}.json"

    for digest in (used, unused):
        os.utime(store.uploads.folder / f"{digest}.json", (1, 1))
    assert store.uploads.find(used) is not None

    assert store.uploads.sweep() == 1
    assert not old.exists()
    assert not (store.uploads.folder / unused).exists()
    assert store.uploads.find(unused) is None
    assert store.uploads.find(used) is not None


@pytest.mark.parametrize("digest", ["", "..", "../../etc", "0" * 64, "a" * 65])
def test_a_digest_that_is_none_is_no_upload(store, digest):
    assert store.uploads.find(digest) is None


def test_what_was_being_received_when_the_server_ended_is_gone_with_the_next(store):
    (store.uploads.incoming() / "part-0").write_text("x")

    store.prepare()

    assert list(store.uploads.folder.iterdir()) == []


def test_which_file_to_run_is_chosen_where_there_is_one_and_asked_for_where_there_are_several(keep):
    main = "if __name__ == '__main__':\n    pass\n"
    assert tree_to_run(keep(("a.py", ""), ("b.py", main)), None).entry == "b.py"
    assert tree_to_run(keep(("a.py", ""), ("b.py", main)), "a.py").entry == "a.py"
    with pytest.raises(InvalidRequest, match=r"one of a\.py, b\.py"):
        tree_to_run(keep(("a.py", main), ("b.py", main)), None)
    with pytest.raises(InvalidRequest, match="no Python file"):
        tree_to_run(keep(("a.csv", "")), None)
    with pytest.raises(InvalidRequest, match="not in the upload"):
        tree_to_run(keep(("a.py", "")), "../a.py")
    with pytest.raises(InvalidRequest, match="Send the files again"):
        tree_to_run(None, None)


def test_a_link_in_the_place_of_an_upload_is_not_followed(store, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (store.uploads.folder / ("a" * 64)).symlink_to(tmp_path / "elsewhere")

    assert store.uploads.find("a" * 64) is None
