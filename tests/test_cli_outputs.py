"""Files that commands write: whole, through links, with the rights they had, into pipes."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from lstmfast._cli import common

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links, rights and pipes of POSIX")


def write(path: Path, content: bytes) -> None:
    common.check_outputs([path], [])
    common.write_file(path, content)


@posix
def test_write_file_is_whole_or_not_at_all(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "out.csv"
    common.write_file(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # fails in the middle of a write, as a full disk does
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(common.UserError, match=r"out\.csv: cannot be written: File too large"):
            common.write_file(path, b"new" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


@posix
def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for target in ("old.csv", "folder/new.csv"):
        link = tmp_path / f"link to {Path(target).name}"
        link.symlink_to(target)
        if target == "old.csv":
            (tmp_path / target).write_bytes(b"old")
        write(link, b"new")
        assert link.is_symlink()
        assert (tmp_path / target).read_bytes() == b"new"
        assert not (tmp_path / target).is_symlink()


@posix
def test_links_to_nowhere_and_to_the_data(tmp_path: Path) -> None:
    (tmp_path / "away.csv").symlink_to("no/folder.csv")
    with pytest.raises(common.UserError, match=r"away\.csv: the folder .*no does not exist"):
        write(tmp_path / "away.csv", b"")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(common.UserError, match="loop: cannot be written: Too many levels"):
        write(tmp_path / "loop", b"")
    data = tmp_path / "data.csv"
    data.write_bytes(b"1")
    (tmp_path / "link").symlink_to("data.csv")
    with pytest.raises(common.UserError, match="link: is used twice"):
        common.check_outputs([tmp_path / "link"], [data])


@posix
@pytest.mark.parametrize("mode", [0o640, 0o600, 0o666])
def test_a_file_keeps_its_rights(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_new_file_has_the_rights_of_new_files(tmp_path: Path) -> None:
    write(tmp_path / "one", b"")
    (tmp_path / "two").touch()
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "two").stat().st_mode


@posix
def test_devices_and_pipes_are_written_into(tmp_path: Path) -> None:
    common.check_outputs([Path(os.devnull), Path(os.devnull)], [])
    write(Path(os.devnull), b"gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(pipe, b"through")
    reader.join(timeout=10)
    assert got == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"old")
    # not by rights: who runs the tests may have all of them
    monkeypatch.setattr("os.access", lambda where, mode: Path(where) != path)
    with pytest.raises(common.UserError, match=r"p\.csv: no permission to write into this file"):
        common.check_outputs([path], [])
