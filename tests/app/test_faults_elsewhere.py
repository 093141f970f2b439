"""What is told of an address, by what a library raised about it."""

from __future__ import annotations

import errno
import os

import pytest

from photosearch.elsewhere.faults import is_away, plain

ADDRESS = "smb://nas/photos/one.jpg"


@pytest.mark.parametrize(
    "number", [errno.EBADF, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENOTCONN]
)
def test_a_network_that_is_not_there_is_told_so(number: int) -> None:
    error = OSError(number, os.strerror(number))
    assert is_away(error)
    told = str(plain(ADDRESS, error).strerror)
    assert "check that it can be reached, and index again" in told


def test_what_is_not_known_is_told_with_what_to_do() -> None:
    error = OSError(errno.EIO, "a disk there, and a key: 5f3a")
    assert not is_away(error)
    assert plain(ADDRESS, error).strerror == "cannot be fetched (OSError); index again later"
