"""What kinds of files are told by: suffixes, in lower case, and first bytes."""

from __future__ import annotations

JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"})
HEIF = frozenset({".heic", ".heif", ".hif", ".avif"})
RAW = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dcs", ".dng", ".erf", ".fff", ".gpr",
        ".iiq", ".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf",
        ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    }
)  # fmt: skip
# Videos that may belong to a still, as those of Live Photos do.
# Google exports those of its motion photos as .MP.
LIVE = frozenset({".mp4", ".mov", ".m4v", ".mp"})
VIDEOS = LIVE | {
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m2t", ".m2ts", ".m2v", ".mj2",
    ".mkv", ".mpe", ".mpeg", ".mpg", ".mts", ".ogv", ".qt", ".vob", ".webm", ".wmv",
}  # fmt: skip

# So many of a file's first bytes tell its kind.
HEAD = 512
# ISO media files are videos by any of dozens of brands, or none; pictures have one of these.
_STILLS = (
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis",
    b"crx ",
)  # fmt: skip
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
# Brands that only videos have, whatever the file is called.
_BRANDS = (
    b"isom", b"iso", b"mp4", b"avc1", b"qt  ", b"3gp", b"3g2", b"M4V", b"MSNV", b"f4v", b"F4V",
    b"mjp2",
)  # fmt: skip
# What other containers begin with, and FFmpeg's names of them.
_CONTAINERS = (
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"0&\xb2u\x8ef\xcf\x11", "asf"),
    (b"OggS", "ogg"),
    (b"FLV\x01", "flv"),
    (b"\0\0\x01\xba", "mpeg"),
    (b"\0\0\x01\xb3", "mpegvideo"),
)
# Every packet of a transport stream begins so; camcorders put four bytes of time before each.
_SYNC, _PACKETS = 0x47, ((0, 188), (4, 192))
# RAW formats that begin as nothing else does.
_RAW_HEADS = (
    (0, b"FUJIFILMCCD-RAW"), (0, b"FOVb"), (0, b"\0MRM"), (6, b"HEAPCCDR"), (4, b"ftypcrx "),
    (0, b"IIRO"), (0, b"IIRS"), (0, b"MMOR"), (0, b"IIU\0"), (8, b"CR\2\0"),
)  # fmt: skip
# No RAW format begins so.
_PICTURES = (
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF", b"8BPS", b"\0\0\0\x0cjP",
    b"\xff\x4f\xff\x51",
)  # fmt: skip


def video_format(head: bytes, suffix: str) -> str | None:
    """FFmpeg's name of the container of a video that begins with `head`, None of what is none.

    Some begin so that only the suffix tells.
    """
    if head[4:8] in _BOXES and head[8:12] not in _STILLS:
        if suffix in VIDEOS or (head[4:8] == b"ftyp" and head[8:12].startswith(_BRANDS)):
            return "mov"
        return None
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return "avi"
    for start, name in _CONTAINERS:
        if head.startswith(start):
            return name
    for first, step in _PACKETS:
        if len(head) > first + step and head[first] == head[first + step] == _SYNC:
            return "mpegts"
    if suffix == ".dv" and head[:3] == b"\x1f\x07\0":
        return "dv"
    return None


def is_video(head: bytes, suffix: str) -> bool:
    """Whether a file that begins with `head`, and has this suffix, is a video to sample."""
    return video_format(head, suffix) is not None


def is_raw(head: bytes, suffix: str) -> bool:
    """Whether it is a camera RAW file; many begin as a TIFF does, and then its suffix tells."""
    if any(head.startswith(mark, place) for place, mark in _RAW_HEADS):
        return True
    return suffix in RAW and head[4:8] != b"ftyp" and not head.startswith(_PICTURES)
