"""Whether a folder is on a drive of another machine, where SQLite's write-ahead log is not safe.

The log is shared through memory that all processes map, and those of two machines have none in
common. What the system does not tell is taken for a drive of this machine.
"""

from __future__ import annotations

import ntpath
import os
import re
import struct
import sys
from contextlib import suppress
from pathlib import Path

# Where Linux lists its mounts.
MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    (
        *("9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs", "gfs2", "gpfs"),
        *("glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2"),
        *("smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs", "webdav"),
    )
)
# FUSE names the program that serves the drive, as in "fuse.sshfs"; these serve one of this machine.
_LOCAL_FUSE = frozenset(
    (
        *("apfs", "bindfs", "ecryptfs", "encfs", "exfat", "ext2", "gocryptfs", "lxcfs"),
        *("mergerfs", "ntfs", "ntfs-3g", "portal", "securefs", "squashfuse", "unionfs"),
        "veracrypt",
    )
)
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MNT_LOCAL = 0x1000  # of macOS' sys/mount.h
_DRIVE_REMOTE = 4  # of Windows' GetDriveTypeW
# What Windows paths may begin with, so that they may be long.
_LONG, _LONG_SHARE = "\\\\?\\", "\\\\?\\UNC\\"


def network_drive(folder: Path) -> str | None:
    """The kind of network drive that `folder` is on, such as "nfs4"; None on one of this machine.

    It need not exist yet.
    """
    if sys.platform == "win32":
        return _of_windows(folder)
    if sys.platform == "darwin":
        return _of_macos(folder)
    with suppress(OSError):
        kind = _mounted_as(os.path.realpath(folder), MOUNTS.read_text("utf-8", "surrogateescape"))
        if kind is not None and _is_network(kind):
            return kind
    return None


def _mounted_as(path: str, mounts: str) -> str | None:
    """The kind of file system that holds `path`, in a list like Linux's."""
    longest, found = -1, None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or not kind:
            continue
        point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # Of two at one place the later one hides the other.
        if inside and len(point) >= longest:
            longest, found = len(point), kind[0]
    return found


def _is_network(kind: str) -> bool:
    program = kind.removeprefix("fuse.")
    return kind in _NETWORK or (program != kind and program not in _LOCAL_FUSE)


def _of_macos(folder: Path) -> str | None:
    import ctypes

    libc = ctypes.CDLL(None)
    statfs = getattr(libc, "statfs$INODE64", None) or libc.statfs
    about = ctypes.create_string_buffer(4096)
    for place in (folder, *folder.parents):
        if statfs(os.fsencode(place), about) == 0:
            return _told_by_macos(about.raw)
    return None


def _told_by_macos(about: bytes) -> str | None:
    """The kind in a `struct statfs`, unless the flag is set that says that it is local."""
    (flags,) = struct.unpack_from("=I", about, 64)
    return None if flags & _MNT_LOCAL else about[72:88].split(b"\0")[0].decode("ascii", "replace")


def _of_windows(folder: Path) -> str | None:
    import ctypes

    # A link on a disk may lead to a share.
    root = _root_on_windows(os.path.realpath(folder))
    remote = ctypes.windll.kernel32.GetDriveTypeW(root) == _DRIVE_REMOTE  # type: ignore[attr-defined]
    return "smb" if root.startswith("\\\\") or remote else None


def _root_on_windows(path: str) -> str:
    r"""The drive or share of a path, as `C:\` or `\\server\share\`, and no mark of long paths."""
    if path.upper().startswith(_LONG_SHARE):
        path = "\\\\" + path[len(_LONG_SHARE) :]
    return ntpath.splitdrive(path.removeprefix(_LONG))[0] + "\\"
