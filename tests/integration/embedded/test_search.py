"""The one change that a start under root makes to folders that are not its own."""

import os
import stat
import subprocess

import pytest

from omni_core.adapters.embedded.search import let_search

STRANGER = 54321


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o770])
def test_others_get_no_more_than_they_had(tmp_path, mode):
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(mode)
    let_search(folder, STRANGER)
    after = stat.S_IMODE(folder.stat().st_mode)
    assert after & 0o700 == 0o700
    assert after & 0o006 == 0, "others may neither list nor write"


def test_an_open_folder_is_left_alone(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o711)
    let_search(folder, STRANGER)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the stranger")
def test_the_account_passes_through_and_sees_nothing(tmp_path):
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    closed.chmod(0o700)
    for folder in (closed / "open").parents:
        let_search(folder, STRANGER)
    folder_mode = closed.stat().st_mode
    let_search(closed, STRANGER)
    assert closed.stat().st_mode == folder_mode
    closed.chmod(0o700)  # cuts the list's mask
    let_search(closed, STRANGER)

    assert as_stranger(f"test -x {closed}/open")
    assert not as_stranger(f"ls {closed}")


def as_stranger(command: str) -> bool:
    words = ["/bin/sh", "-c", command]
    ended = subprocess.run(
        words, user=STRANGER, group=STRANGER, extra_groups=[], cwd="/", capture_output=True, check=False
    )
    return ended.returncode == 0
