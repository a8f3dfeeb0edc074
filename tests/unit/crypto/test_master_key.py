import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from omni_core.adapters.crypto import MasterKey
from omni_core.adapters.crypto.master_key import MasterKeyUnreadable
from omni_core.domain.kernel.errors import InvalidValue

RAW = bytes(range(224, 256))
LOAD = """
import sys
from pathlib import Path
from omni_core.adapters.crypto import MasterKey
print("ready", flush=True)
sys.stdin.readline()
print(MasterKey.load_or_create(Path(sys.argv[1])).derive("test").hex())
"""


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_both_alphabets_of_base64_are_read(encode):
    text = encode(RAW).decode()
    assert MasterKey.parse(f" {text}\n").derive("test") == MasterKey(RAW).derive("test")


@pytest.mark.parametrize(
    "text", ["", "hunter2hunter2", "é", base64.b64encode(RAW[:-1]).decode(), base64.b64encode(RAW).decode()[:-1]]
)
def test_what_is_no_key_is_refused_and_not_repeated(text):
    with pytest.raises(InvalidValue) as refused:
        MasterKey.parse(text)
    assert refused.value.fields["field"] == "OMNI_SECRET_KEY"
    assert not text or text not in str(refused.value)


def test_each_purpose_has_a_key_of_its_own():
    master = MasterKey(RAW)
    assert len({master.derive("seal"), master.derive("api-key-digest"), RAW}) == 3
    assert len(master.derive("seal")) == 32


def test_a_key_does_not_show_itself():
    assert repr(MasterKey(RAW)) == str(MasterKey(RAW)) == "MasterKey(…)"


def test_a_generated_key_is_like_no_other():
    assert MasterKey.generate().derive("test") != MasterKey.generate().derive("test")


def test_the_key_file_is_its_owners_alone(tmp_path):
    path = tmp_path / "home" / "secret.key"
    before = os.umask(0)
    try:
        made = MasterKey.load_or_create(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert MasterKey.load_or_create(path).derive("test") == made.derive("test")
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    path = tmp_path / "secret.key"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=30)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_file_that_cannot_be_made_says_which(tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("")
    with pytest.raises(MasterKeyUnreadable) as failed:
        MasterKey.load_or_create(occupied / "secret.key")
    assert failed.value.fields["path"] == str(occupied / "secret.key")


@pytest.mark.parametrize("content", [b"", b"too short", b"\xff" * 44])
def test_a_key_file_with_something_else_in_it_is_refused(tmp_path: Path, content):
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises((InvalidValue, MasterKeyUnreadable)):
        MasterKey.load_or_create(path)
    assert path.read_bytes() == content
