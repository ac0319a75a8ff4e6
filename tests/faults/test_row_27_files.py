"""Row 27: files that are no image, half an image, or more than one thing."""

import hashlib
import struct
import zlib

import pytest
from support import s3
from support.images import Images

pytestmark = pytest.mark.usefixtures("steady")


@pytest.fixture(scope="module")
def refused(ledger, member):
    """A function that uploads what must be refused; at the end none of it is in the store."""
    bodies = []

    def upload(body, statuses):
        bodies.append(body)
        answer = ledger.try_upload(member, body, headers={"Content-Type": "image/png"})
        assert answer.status_code in statuses

    yield upload
    there = set(s3.objects(ledger.store).values())
    assert there.isdisjoint(hashlib.md5(body).hexdigest() for body in bodies)


def box(kind, data):
    """A box of an ISO media file."""
    return struct.pack(">I4s", 8 + len(data), kind) + data


def png(*chunks):
    """A PNG of (type, data) chunks with right CRCs."""
    body = b"".join(struct.pack(">I", len(data)) + kind + data
                    + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def header(width, height):
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


REFUSED = {
    "one byte": b"\xff",
    "two bytes of JPEG": b"\xff\xd8",
    "JXL": b"\xff\x0a",
    "JXL box": box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl "),
    "HEIC": box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"mdat", b"x" * 99),
    "MP4": box(b"ftyp", b"isom\0\0\2\0isommp41") + box(b"mdat", b"x" * 99),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "SVG with a prolog": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "HTML": b"<!DOCTYPE html><script>alert(1)</script>",
    "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "ZIP": b"PK\3\4" + bytes(100),
    "BMP": b"BM" + struct.pack("<IHHIIiiHH", 70, 0, 0, 54, 40, 1, 1, 1, 24) + bytes(28),
    "TIFF": b"II*\0" + bytes(100),
    "ICO": b"\0\0\1\0\1\0" + bytes(100),
    "text": b"just text " * 100,
    "zeros": bytes(10_000),
    "HTML after a GIF's magic": b"GIF89a<script>alert(1)</script>" + b" " * 100,
    "PNG without data": png(header(1, 1), (b"IEND", b"")),
    "PNG without header": png((b"IDAT", zlib.compress(b"\0\0\0\0")), (b"IEND", b"")),
    "PNG of zero width": png(header(0, 1), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")),
    "PNG bomb": png(header(30_000, 30_000), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")),
    "PNG of 2^31": png(header(1 << 31, 1), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")),
    "GIF of endless frames": b"GIF89a\1\0\1\0\0\0\0" + b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0" * 2000,
    "WebP of another size": b"RIFF\xff\xff\xff\x7fWEBPVP8 " + bytes(100),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(refused, kind):
    refused(REFUSED[kind], (400, 413, 415))


@pytest.mark.parametrize("name", Images.names)
def test_cut(refused, images, name):
    """Half an image of each format, and one that lacks its end."""
    data = images[name].data
    for length in (12, len(data) // 2, len(data) - 9):
        refused(data[:length], (400, 415))


def test_wrong_checksum(refused):
    data = bytearray(Images.noise().data)
    data[-20] ^= 1  # in the pixels, whose checksum and IEND are the last 16 bytes
    refused(bytes(data), (400,))


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\5\6" + bytes(18), b"\0"])
@pytest.mark.parametrize("name", ["jpeg-baseline.jpg", "gif-still.gif", "webp-lossy.webp"])
def test_polyglots_are_refused_or_harmless(client, ledger, member, images, name, tail):
    image = images[name]
    answer = ledger.try_upload(member, image.data + tail)
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        read = client.get(answer.headers["Location"], headers=member.headers)
        assert read.headers["Content-Type"] == image.type
        assert read.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in read.headers["Content-Security-Policy"]
