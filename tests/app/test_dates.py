"""When photos were taken: what EXIF, IPTC, XMP, names and folders say, and which is believed."""

from __future__ import annotations

import random
import struct
from datetime import datetime, timedelta

import photo_metadata as make
import pytest
from photo_metadata import exif, jpeg, xmp
from test_metadata import of

from index import Metadata
from photosearch.indexing.metadata.dates import parsed
from photosearch.indexing.metadata.folders import date_of_folder
from photosearch.indexing.metadata.names import date_of_name

TAKEN, DIGITISED, MODIFIED = 0x9003, 0x9004, 0x0132
NOON = "2023-05-06T14:34:56"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023:05:06 14:34:56", NOON),
        ("2023-05-06T14:34:56.789", NOON),
        ("2023/05/06 14:34:56", NOON),
        ("2023.05.06 14:34:56", NOON),
        ("2023:05:06 2:34:56 PM", NOON),
        ("2023:05:06 12:34:56 a.m.", "2023-05-06T00:34:56"),
        ("2023-05-06T14:34", "2023-05-06T14:34:00"),
        ("20230506T143456", NOON),
        ("20230506", "2023-05-06"),
        ("Sat May  6 14:34:56 2023", NOON),
        # Clocks that count to 24, or have a second too many.
        ("2015:08:22 24:08:19", "2015-08-22T00:08:19"),
        ("2023:05:06 12:34:60", "2023-05-06T12:34:59"),
        ("2023:05:06 25:00:00", "2023-05-06"),
        ("2023:05:06 12:61:00", "2023-05-06"),
        ("2023:05:06   :  :  ", "2023-05-06"),
        # What is not known.
        ("1993:00:00 12:00:00", "1993"),
        ("1993:07:00 00:00:00", "1993-07"),
        ("1993:00:05 00:00:00", "1993"),
        ("1993:  :  ", "1993"),
        ("1993:07:  ", "1993-07"),
        ("1993", "1993"),
        ("1993:07", "1993-07"),
        ("1985-7-4", "1985-07-04"),
        # No photo is of then.
        ("0000:00:00 00:00:00", None),
        ("1812:01:01 00:00:00", None),
        ("9999:12:31 23:59:59", None),
        ("2019:13:01 00:00:00", None),
        ("2019:02:31 10:00:00", None),
        ("    :  :     :  :  ", None),
        ("", None),
        ("nonsense", None),
        ("12345678901234", None),
    ],
)
def test_dates_as_they_are_written(text: str, expected: str | None) -> None:
    found = parsed(text)
    assert (found and found.text) == expected
    assert of(jpeg(exif=exif(second={TAKEN: text}))).taken_at == expected


@pytest.mark.parametrize(
    ("text", "expected", "offset"),
    [
        ("1985", "1985", None),
        ("1985Z", "1985", None),
        ("1985-07", "1985-07", None),
        ("1985-07+02:00", "1985-07", None),
        ("1985-07-04", "1985-07-04", None),
        ("1985-07-04-05:00", "1985-07-04", None),
        ("1985-07-04T12:00", "1985-07-04T12:00:00", None),
        ("1985-07-04T12:00Z", "1985-07-04T12:00:00", 0),
        ("1985-07-04T12:00:01.5+05:30", "1985-07-04T12:00:01", 330),
        ("1985-07-04T12:00:01-0330", "1985-07-04T12:00:01", -210),
        ("1985-07-04T12:00:01+19:00", "1985-07-04T12:00:01", None),
    ],
)
@pytest.mark.parametrize("name", ["photoshop:DateCreated", "exif:DateTimeOriginal"])
def test_dates_of_xmp_have_any_precision(
    name: str, text: str, expected: str, offset: int | None
) -> None:
    for packet in (xmp("", f'{name}="{text}"'), xmp(f"<{name}>{text}</{name}>")):
        found = of(jpeg(xmp=packet))
        assert (found.taken_at, found.taken_offset_minutes) == (expected, offset)
        assert found.taken_source == "xmp"


def test_a_future_date_is_none() -> None:
    coming = datetime.now() + timedelta(days=3)
    assert parsed(coming.strftime("%Y:%m:%d %H:%M:%S")) is None
    assert date_of_name(coming.strftime("IMG_%Y%m%d_%H%M%S.jpg")) is None
    assert parsed(str(coming.year + 1)) is None
    assert parsed(str(datetime.now().year)) is not None


@pytest.mark.parametrize(
    "factory",
    ["2002:12:08 12:00:00", "1970:01:01 00:00:00", "1980:01:01 00:00:00", "2000:01:01 00:00:00",
     "2007:01:01 00:03:27", "1904:01:01 00:00:00", "1969:12:31 16:00:00", "1979:12:31 23:00:00"],
)  # fmt: skip
def test_clocks_that_nobody_set_give_way_to_the_name(factory: str) -> None:
    content = jpeg(exif=exif(second={TAKEN: factory}))
    found = of(content, "IMG_20130712_165427.jpg")
    assert (found.taken_at, found.taken_source) == ("2013-07-12T16:54:27", "name")
    # Without another date there is that one still.
    assert of(content, "a.jpg").taken_at == factory.replace(":", "-", 2).replace(" ", "T")


def test_a_name_confirms_a_clock_that_looks_as_if_it_was_never_set() -> None:
    content = jpeg(exif=exif(second={TAKEN: "2012:01:01 00:12:13"}))
    for name in ("IMG_20120101_001213.jpg", "IMG-20120101-WA0001.jpg"):
        found = of(content, name)
        assert (found.taken_at, found.taken_source) == ("2012-01-01T00:12:13", "exif")


def test_the_second_date_counts_where_the_first_was_never_set() -> None:
    dates = {TAKEN: "1970:01:01 00:00:00", DIGITISED: "2011:02:03 04:05:06"}
    assert of(jpeg(exif=exif(second=dates))).taken_at == "2011-02-03T04:05:06"


@pytest.mark.parametrize(
    ("name", "expected", "source"),
    [
        ("IMG-20190330-WA0002.jpg", "2019-03-30", "name"),
        ("2019/a.jpg", "2024-05-06T07:08:09", "modified"),
        ("a.jpg", "2024-05-06T07:08:09", "modified"),
    ],
)
def test_when_a_photo_was_modified_counts_little(name: str, expected: str, source: str) -> None:
    found = of(jpeg(exif=exif({MODIFIED: "2024:05:06 07:08:09"})), name)
    assert (found.taken_at, found.taken_source) == (expected, source)
    packet = xmp("", 'exif:DateTimeOriginal="1998-01-02T03:04:05"')
    both = jpeg(exif=exif({MODIFIED: "2024:05:06 07:08:09"}), xmp=packet)
    assert of(both, "a.jpg").taken_at == "1998-01-02T03:04:05"


@pytest.mark.parametrize(
    ("name", "expected", "source"),
    [
        ("1985/a.jpg", "1985", "folder"),
        ("1985-07 Lake/b/a.jpg", "1985-07", "folder"),
        ("1985/IMG_19870102_030405.jpg", "1987-01-02T03:04:05", "name"),
        ("a.jpg", None, "mtime"),
    ],
)
def test_a_folder_tells_when_nothing_else_does(
    name: str, expected: str | None, source: str
) -> None:
    found = of(jpeg(), name)
    assert (found.taken_at, found.taken_source) == (expected, source)
    assert of(jpeg(exif=make.camera_exif()), name).taken_at == "2019-06-01T14:30:05"


def satellites(day: str, time: tuple[float, float, float], **more: object) -> Metadata:
    where = {29: day, 7: time} | {int(key[1:]): value for key, value in more.items()}
    return of(jpeg(exif=exif(where=where)))


def test_what_satellites_say() -> None:
    found = satellites("2019:06:01", (12.0, 30.0, 5.0))
    assert (found.taken_at, found.taken_offset_minutes) == ("2019-06-01T12:30:05", 0)
    assert found.taken_source == "gps"
    rome = {"_1": "N", "_2": (41.0, 53.0, 30.0), "_3": "E", "_4": (12.0, 29.0, 0.0)}
    found = satellites("2019:06:01", (23.0, 30.0, 5.0), **rome)
    assert (found.taken_at, found.taken_offset_minutes) == ("2019-06-02T01:30:05", 120)
    assert satellites("2019:06:01", (99.0, 0.0, 0.0)).taken_at is None
    assert satellites("2019:06:00", (1.0, 0.0, 0.0)).taken_at is None
    both = exif(second={TAKEN: "2019:06:01 14:30:07"}, where={29: "2019:06:01", 7: (12.0, 30.0, 5)})
    assert of(jpeg(exif=both)).taken_source == "exif"


def test_the_zone_of_an_old_camera() -> None:
    found = of(jpeg(exif=exif(second={TAKEN: "2009:06:01 14:30:07", 0x882A: -3})))
    assert found.taken_offset_minutes == -180


def press(*fields: tuple[int, bytes], envelope: bytes | None = None) -> Metadata:
    resources = make.iptc(*fields)
    if envelope is not None:
        at = resources.index(b"\x1c\x02")
        first = struct.pack(">BBBH", 0x1C, 1, 90, len(envelope)) + envelope
        size = struct.pack(">I", len(resources) - at + len(first))
        resources = resources[: at - 4] + size + first + resources[at:]
    return of(make.with_segment(jpeg(), 0xED, resources))


@pytest.mark.parametrize(
    ("fields", "expected", "offset"),
    [
        (((55, b"19930704"), (60, b"123456+0200")), "1993-07-04T12:34:56", 120),
        (((55, b"19930704"), (60, b"123456")), "1993-07-04T12:34:56", None),
        (((55, b"19930704"), (60, b"246060")), "1993-07-04", None),
        (((55, b"19930704"),), "1993-07-04", None),
        (((55, b"19930700"),), "1993-07", None),
        (((55, b"19930000"),), "1993", None),
        (((55, b"1993"),), "1993", None),
        (((62, b"19930704"), (63, b"123456-0330")), "1993-07-04T12:34:56", -210),
        (((55, b"00000000"), (62, b"19930704")), "1993-07-04", None),
        (((55, b"yesterday"),), None, None),
    ],
)
def test_the_dates_of_the_press(
    fields: tuple[tuple[int, bytes], ...], expected: str | None, offset: int | None
) -> None:
    found = press(*fields)
    assert (found.taken_at, found.taken_offset_minutes) == (expected, offset)
    assert found.taken_source == ("iptc" if expected else "mtime")


@pytest.mark.parametrize(
    ("value", "envelope"),
    [
        ("Zürich „Café“ €".encode(), None),
        ("Zürich „Café“ €".encode("cp1252"), None),
        ("Zürich „Café“ €".encode(), b"\x1b%G"),
        ("Zürich „Café“ €".encode("cp1252"), b"\x1b.A"),
        ("Zürich „Café“ €".encode("cp1252"), b"\x1b%G"),  # which says one thing and does another
    ],
)
def test_the_letters_of_the_press(value: bytes, envelope: bytes | None) -> None:
    found = press((25, value), (120, value), envelope=envelope)
    assert (found.keywords, found.caption) == (("Zürich „Café“ €",), "Zürich „Café“ €")


def test_letters_of_eastern_europe() -> None:
    found = press((25, "Łódź".encode("iso8859-2")), envelope=b"\x1b.B")
    assert found.keywords == ("Łódź",)


def test_a_long_data_set_is_read_over() -> None:
    long = struct.pack(">BBBH", 0x1C, 2, 202, 0x8004) + struct.pack(">I", 40_000) + b"x" * 40_000
    record = long + struct.pack(">BBBH", 0x1C, 2, 25, 3) + b"sea"
    resources = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">H", 0x0404) + b"\0\0"
    resources += struct.pack(">I", len(record)) + record
    found = of(make.with_segment(jpeg(), 0xED, resources))
    assert found.keywords == ("sea",)


DAY, MINUTE = "2023-05-06", "2023-05-06T14:34:00"
NAMES = {
    NOON: """
        IMG20230506143456.jpg
        VID_20230506_143456.mp4
        IMG_20230506_143456.jpg
        20230506143456.jpg
        VID20230506143456.mp4
        20230506_143456.jpg
        20230506_143456(0).jpg
        20230506-143456-0123.jpg
        DJI_20230506143456_0001_D.JPG
        00001IMG_00001_BURST20230506143456789_COVER.jpg
        IMG_20230506_143456_BURST001_COVER.jpg
        IMG_20230506_143456_789.jpg
        P_20230506_143456.jpg
        photo_2023-05-06_14-34-56.jpg
        video_2023-05-06_14-34-56.mp4
        photo_123@06-05-2023_14-34-56.jpg
        video_5@06-05-2023_14-34-56.mp4
        signal-2023-05-06-143456.jpg
        signal-2023-05-06-14-34-56-789.jpg
        signal-attachment-2023-05-06-143456_001.jpeg
        FB_IMG_1683383696123.jpg
        mmexport1683383696123.jpg
        1683383696123.jpg
        Screenshot_2023-05-06-14-34-56.png
        Screenshot_20230506-143456_Chrome.png
        Screenshot_2023-05-06-14-34-56-789_com.whatsapp.jpg
        Screenshot_20230506_143456.png
        PXL_20230506_143456789.MP.jpg
        PXL_20230506_143456789.RAW-01.COVER.jpg
        MVIMG_20230506_143456.jpg
        Snapchat-20230506-143456.jpg
        Snapchat-20230506143456.jpg
        PHOTO-2023-05-06-14-34-56.jpg
        00000123-PHOTO-2023-05-06-14-34-56.jpg
        Skype_Picture_20230506T143456123Z.jpeg
        viber_image_2023-05-06_14-34-56-789.jpg
        KakaoTalk_20230506_143456789.jpg
        threema-20230506-143456789.jpg
        2023_0506_143456_001.MP4
        C360_2023-05-06-14-34-56-789.jpg
        img20230506_14345678.jpg
        20230506_143456_iOS.jpg
        JPEG_20230506_143456_123456789.jpg
        WP_20230506_14_34_56_Pro.jpg
        WIN_20230506_14_34_56_Pro.jpg
        B612_20230506_143456_789.jpg
        Burst_Cover_GIF_Action_20230506143456.gif
        IMG_2023-05-06_14h34m56s.jpg
        CameraZOOM-20230506143456789.jpg
        2023-05-06T14:34:56.jpg
        2023-05-06-143456_1920x1080_scrot.png
        LRM_EXPORT_20230506_143456.jpg
        2023-05-06 14.34.56.png
        2023-05-06 14.34.56-1.jpg
        Screen Shot 2023-05-06 at 2.34.56 PM.png
        Screenshot 2023-05-06 at 2.34.56\u202fPM.png
        Screenshot 2023-05-06 at 14.34.56.png
        Screenshot 2023-05-06 143456.png
        Screenshot from 2023-05-06 14-34-56.png
        Bildschirmfoto 2023-05-06 um 14.34.56.png
        Bildschirmfoto vom 2023-05-06 14-34-56.png
        Capture d\u2019écran 2023-05-06 à 14.34.56.png
        Capture d'écran du 2023-05-06 14-34-56.png
        Capture d\u2019e\u0301cran 2023-05-06 a\u0300 14.34.56.png
        Schermata 2023-05-06 alle 14.34.56.png
        Schermafbeelding 2023-05-06 om 14.34.56.png
        Captura de pantalla 2023-05-06 a la(s) 14.34.56.png
        Captura de pantalla 2023-05-06 a las 2.34.56 p. m..png
        Captura de ecrã 2023-05-06, às 14.34.56.png
        Captura de tela de 2023-05-06 14-34-56.png
        Skärmavbild 2023-05-06 kl. 14.34.56.png
        Näyttökuva 2023-05-06 kello 14.34.56.png
        Zrzut ekranu 2023-05-06 o 14.34.56.png
        Снимок экрана 2023-05-06 в 14.34.56.png
        Ekran Resmi 2023-05-06 14.34.56.png
        スクリーンショット 2023-05-06 14.34.56.png
        スクリーンショット 2023-05-06 午後2.34.56.png
        截屏2023-05-06 下午2.34.56.png
        스크린샷 2023-05-06 오후 2.34.56.png
        Képernyőfotó 2023-05-06 - 14.34.56.png
        Ảnh chụp màn hình 2023-05-06 lúc 14.34.56.png
        WhatsApp Image 2023-05-06 at 14.34.56 (1).jpeg
        WhatsApp Image 2023-05-06 at 2.34.56 PM.jpeg
        WhatsApp Bild 2023-05-06 um 14.34.56_ab12.jpg
        Imagen de WhatsApp 2023-05-06 a las 14.34.56.jpg
        Immagine WhatsApp 2023-05-06 ore 14.34.56.jpg
        Image WhatsApp 2023-05-06 à 14.34.56.jpg
        Imagem do WhatsApp de 2023-05-06 à(s) 14.34.56.jpg
        photo_2023-05-06_14-34-56 (2).jpg
        KakaoTalk_Photo_2023-05-06-14-34-56 001.jpeg
        Foto 06.05.23, 14 34 56.jpg
        Pasted image 20230506143456.png
        2023年5月6日 14時34分56秒.jpg
        2023-05-06 Rome 14.34.56.jpg
    """.splitlines(),
    MINUTE: ["Photo on 06.05.23 at 14.34.jpg", "Photo on 5-6-23 at 2.34 PM.jpg",
             "Photo on 2023-05-06 at 14.34 #2.jpg", "2023-05-06_14-34.png", "2023-05-06 14h34.jpg",
             "06.05.2023 um 14.34 Uhr.jpg", "Screenshot 2023-05-06 at 2:34 PM.png"],
    DAY: ["IMG-20230506-WA0001.jpg", "VID-20230506-WA0001.mp4", "2023-05-06.jpg",
          "WP_20230506_001.jpg", "IMG_20230506_0001.jpg", "06.05.2023.jpg", "2023-05-06-001.jpg",
          "IMG_20230506_993456.jpg", "20230506_DSC_123456.jpg"],
    "2023-05-06T23:05:03": ["Screenshot 2023-05-06 at 11.05.03 PM.png"],
    "2023-05-06T00:05:03": ["Screenshot 2023-05-06 at 12.05.03 AM.png"],
    "2023-05-06T23:05:00": ["Screenshot 2023-05-06 at 11:05 PM.png"],
    "2015-08-22T00:08:19": ["IMG_20150822_240819.jpg"],
    "2023-05-06T14:34:59": ["IMG_20230506_143460.jpg"],
    "1985-07-04": ["1985-07-04 Oma.jpg", "19850704.jpg", "Scan_1985-07-04.tif"],
    "1985-07": ["1985-07-00 x.jpg", "1985-07 Lake 012.jpg"],
    "1985": ["1985-00-00.jpg"],
    "2023-05-26": ["26-05-2023.jpg", "05-26-2023.jpg"],
    "2008-05-12": ["12052008(001).jpg"],
    None: ["IMG_0042.jpg", "IMG_20230231_120000.jpg", "12023050612.jpg", "20990101_000000.jpg",
           "DSC_1985.jpg", "IMG_2013.jpg", "scan of 1962.jpg", "11.05.03 PM.jpg",
           "Snapchat-1234567890.jpg", "received_10156789012345678.jpeg", "1920x1080.jpg",
           "05-06-2023.jpg", "5f20190812ab3c4d5e6f7a8b.jpg", "2019-07_001.jpg", "20230000.jpg",
           "9780141036144.jpg", "", ".jpg"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (name.strip(), expected)
        for expected, names in NAMES.items()
        for name in names
        if name.strip() or expected is None
    ],
)
def test_dates_in_names(name: str, expected: str | None) -> None:
    found = date_of_name(name)
    assert (found and found.text) == expected


@pytest.mark.parametrize("name", ["FB_IMG_1683383696123.jpg", "PXL_20230506_143456789.jpg"])
def test_names_in_universal_time_are_told_in_that_of_the_place(name: str) -> None:
    found = of(jpeg(), name)
    assert (found.taken_at, found.taken_offset_minutes) == (NOON, 0)
    rome = exif(where={1: "N", 2: (41.0, 53.0, 30.0), 3: "E", 4: (12.0, 29.0, 0.0)})
    found = of(jpeg(exif=rome), name)
    assert (found.taken_at, found.taken_offset_minutes) == ("2023-05-06T16:34:56", 120)


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("2019", "2019"),
        ("2019/07", "2019-07"),
        ("2019/07/14", "2019-07-14"),
        ("2019/07 Juli", "2019-07"),
        ("2019/100CANON", "2019"),
        ("2019-07 Italy/14", "2019-07-14"),
        ("2019-07-14 Wedding", "2019-07-14"),
        ("20190714", "2019-07-14"),
        ("201907", "2019-07"),
        ("2019_07", "2019-07"),
        ("2019 Italy", "2019"),
        ("2019, Italy", "2019"),
        ("2019_Italy", "2019"),
        ("Italy (2019)", "2019"),
        ("Urlaub 2019", "2019"),
        ("Urlaub_2019", "2019"),
        ("Sommer 1985", "1985"),
        ("Photos from 2019", "2019"),
        ("Fotos von 2019", "2019"),
        ("Scandinavia 2019", "2019"),
        ("14.07.2019 Fest", "2019-07-14"),
        ("Fest 14.07.2019", "2019-07-14"),
        ("2019-07-14 - 2019-07-20 Italy", "2019-07"),
        ("2019-07-30 \u2013 2019-08-02", "2019"),
        ("2019-07-14..20", "2019-07"),
        # Several years, none, or when something was copied.
        ("2018-2019", None),
        ("2018 - 2019 Winter", None),
        ("2018-19 Winter", None),
        ("1980-85", None),
        ("1980s", None),
        ("2099", None),
        ("07", None),
        ("1920x1080", None),
        ("backup_2021-05-03", None),
        ("Scans 2021", None),
        ("Import 2021-05-03", None),
        ("DCIM 2000 best", None),
        ("2019/a/b/c/d", None),
        ("", None),
    ],
)
def test_dates_in_folders(folder: str, expected: str | None) -> None:
    found = date_of_folder(f"/photos/{folder}/a.jpg")
    assert (found and found.text) == expected


def test_nothing_that_is_written_does_harm() -> None:
    """Whatever a name or a date is, the answer is none, or a day on which there was photography."""
    generator = random.Random(3)
    pieces = [*"0123456789", "20", "19", "2023", "05", "06", "14", "-", ":", ".", "_", " ", "T",
              "PM", "IMG", "@", "Z", "+02:00", "年", "\u202f", "\0", "(", ")"]  # fmt: skip
    tomorrow = (datetime.now() + timedelta(days=2)).isoformat()
    for _ in range(20_000):
        text = "".join(generator.choices(pieces, k=generator.randint(1, 16)))
        for found in (parsed(text), date_of_name(text), date_of_folder(f"/{text}/a.jpg")):
            if found is not None:
                assert "1826" <= found.text < tomorrow
                assert len(found.text) in (4, 7, 10, 19)
                assert found.offset is None or (len(found.text) == 19 and abs(found.offset) <= 840)
