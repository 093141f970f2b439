"""Which folders lie on a file system whose changes this machine is not told of.

Of a network drive, or a folder that a virtual machine shares, the system tells what is changed from
here, and not what others change.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress

# fmt: off
_REMOTE = frozenset((
    "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "drvfs", "gfs2", "glusterfs",
    "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "prl_fs", "smb2", "smb3", "smbfs",
    "vboxsf", "virtiofs", "vmhgfs", "webdav",
))
# fmt: on
# Of what user programs mount, nobody knows what tells of changes. "fuseblk" is a disk.
_USER_MOUNTED = ("fuse.", "osxfuse", "macfuse")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_MAC_LINE = re.compile(r"^.*? on (/.*) \(([^,)]+)[^)]*\)$")
_DRIVE_REMOTE = 4  # of Windows' GetDriveType


def unwatched(folder: str) -> dict[str, str]:
    """`folder` itself, or the mount points below it, that must be looked at; why, by path."""
    real = os.path.realpath(folder)
    if sys.platform == "win32":
        return {folder: "network drive"} if _is_network_drive(real) else {}
    return _among(folder, real, _mounted())


def _among(folder: str, real: str, mounted: list[tuple[str, str]]) -> dict[str, str]:
    """As `unwatched`, by the mount points and their types, the latest last."""
    kinds = dict(mounted)  # what is mounted over another hides it
    around = [place for place in kinds if _is_in(real, place)]
    if around and _is_remote(kind := kinds[max(around, key=len)]):
        return {folder: kind}
    start = real.rstrip(os.sep) + os.sep
    return {
        os.path.join(folder, place[len(start) :]): kind
        for place, kind in sorted(kinds.items())
        if place.startswith(start) and _is_remote(kind)
    }


def _is_in(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip(os.sep) + os.sep)


def _is_remote(kind: str) -> bool:
    return kind in _REMOTE or kind.startswith(_USER_MOUNTED)


def _mounted() -> list[tuple[str, str]]:
    with suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "darwin":
            command = ["/sbin/mount"]
            listing = subprocess.run(command, capture_output=True, timeout=10, check=True).stdout
            return parse_mount(os.fsdecode(listing))
        with open("/proc/self/mountinfo", "rb") as file:
            return parse_mountinfo(os.fsdecode(file.read()))
    return []


def parse_mountinfo(text: str) -> list[tuple[str, str]]:
    """Mount points and types in the form of Linux' /proc/self/mountinfo."""
    found = []
    for line in text.split("\n"):
        about, separator, source = line.partition(" - ")
        if separator:
            place = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), about.split(" ")[4])
            found.append((place, source.split(" ")[0]))
    return found


def parse_mount(text: str) -> list[tuple[str, str]]:
    """Mount points and types in the form that macOS' `mount` prints."""
    matches = filter(None, map(_MAC_LINE.match, text.split("\n")))
    return [(match[1], match[2]) for match in matches]


def _is_network_drive(path: str) -> bool:
    if sys.platform != "win32":
        return False
    import ctypes

    drive = os.path.splitdrive(path)[0]
    if drive.startswith("\\\\"):
        return True
    return bool(ctypes.windll.kernel32.GetDriveTypeW(drive + "\\") == _DRIVE_REMOTE)
