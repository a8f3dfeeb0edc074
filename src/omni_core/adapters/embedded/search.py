"""Let one account pass through a folder that is closed to it, and open it to nobody else.

Needed under root only, whose home and whose virtual environments PostgreSQL's own account cannot enter. A POSIX
access control list gives that account the search permission, which neither lists the folder nor reads a file in it.
Where the file system keeps no such lists, search is given to others in the plain mode.
"""

import errno
import os
import stat
import struct
from pathlib import Path
from typing import NamedTuple

# The kernel's format: a version, then (tag, permissions, id), ordered by tag and id. See acl(5) and
# include/uapi/linux/posix_acl_xattr.h.
_ATTRIBUTE = "system.posix_acl_access"
_HEADER = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_VERSION = 2
_OWNER, _USER, _GROUP_OWNER, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_SEARCH = 0o1


class _Entry(NamedTuple):
    tag: int
    permissions: int
    id: int


def let_search(folder: Path, uid: int) -> None:
    """Allow account `uid` to pass through `folder`, unless everybody may."""
    mode = folder.stat().st_mode
    if mode & stat.S_IXOTH:
        return
    try:
        entries = _read(folder, mode)
        _write(folder, _allowing(entries, uid))
    except (AttributeError, OSError) as error:
        # AttributeError: this Python has no extended attributes (macOS).
        if isinstance(error, OSError) and error.errno != errno.EOPNOTSUPP:
            raise
        folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _read(folder: Path, mode: int) -> list[_Entry]:
    try:
        raw = os.getxattr(folder, _ATTRIBUTE)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        bits = ((_OWNER, 6), (_GROUP_OWNER, 3), (_OTHER, 0))
        return [_Entry(tag, mode >> shift & 0o7, _NO_ID) for tag, shift in bits]
    return [_Entry(*fields) for fields in _ENTRY.iter_unpack(raw[_HEADER.size :])]


def _allowing(entries: list[_Entry], uid: int) -> list[_Entry]:
    # The mask bounds every named entry, and a chmod of the folder cuts it. Only search is added to it: nothing else
    # that was masked out may come back.
    bounds = {entry.tag: entry.permissions for entry in entries if entry.tag in (_MASK, _GROUP_OWNER)}
    mask = bounds.get(_MASK, bounds[_GROUP_OWNER]) | _SEARCH
    kept = [entry for entry in entries if entry.tag != _MASK and (entry.tag, entry.id) != (_USER, uid)]
    return sorted([*kept, _Entry(_USER, _SEARCH, uid), _Entry(_MASK, mask, _NO_ID)])


def _write(folder: Path, entries: list[_Entry]) -> None:
    packed = _HEADER.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in entries)
    os.setxattr(folder, _ATTRIBUTE, packed)
