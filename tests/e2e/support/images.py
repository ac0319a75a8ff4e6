"""Images made by real encoders, no two alike."""

import io
import os
import random
import subprocess
from dataclasses import dataclass, replace
from functools import cached_property

import PIL.Image

WIDTH, HEIGHT = 61, 43  # odd, so that nothing hides in padding

MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp",
               "avif": "image/avif"}

# Name -> command that makes the file {out} of {in} (PPM), or of {in} and {other} if animated.
ENCODERS = {
    "jpeg-baseline.jpg": "cjpeg -quality 85 -outfile {out} {in}",
    "jpeg-progressive.jpg": "cjpeg -progressive -outfile {out} {in}",
    "jpeg-cmyk.jpg": "convert {in} -colorspace CMYK {out}",
    "png-8-bit.png": "convert {in} -depth 8 {out}",
    "png-16-bit.png": "convert {in} -evaluate Multiply 0.7 -depth 16 PNG48:{out}",
    "png-interlaced.png": "convert {in} -interlace PNG {out}",
    "png-alpha.png": "convert {in} -alpha set -channel A -evaluate set 40% +channel PNG32:{out}",
    "gif-still.gif": "convert {in} {out}",
    "gif-animated.gif": "convert -delay 10 {in} {other} -loop 0 {out}",
    "webp-lossy.webp": "cwebp -quiet -q 75 {in} -o {out}",
    "webp-lossless.webp": "cwebp -quiet -lossless {in} -o {out}",
    "webp-animated.webp": "img2webp -d 100 {in} {other} -o {out}",
    "avif.avif": "avifenc -s 10 {png} {out}",
}


@dataclass(frozen=True)
class Image:
    data: bytes
    type: str
    extension: str
    width: int = WIDTH
    height: int = HEIGHT


class Images:
    """Makes images in a folder; the bytes differ from run to run."""

    names = tuple(ENCODERS)

    def __init__(self, folder):
        self.folder = folder

    @cached_property
    def sources(self):
        """The paths that the commands name: two pictures of gradients and noise."""
        paths = {}
        for name in ("in", "other"):
            noise = random.randbytes(WIDTH * HEIGHT * 3)
            pixels = bytes((i // 31 + byte % 24) % 256 for i, byte in enumerate(noise))
            paths[name] = self.folder / f"{name}.ppm"
            PIL.Image.frombytes("RGB", (WIDTH, HEIGHT), pixels).save(paths[name])
        paths["png"] = self.folder / "in.png"
        PIL.Image.open(paths["in"]).save(paths["png"])
        return paths

    def __getitem__(self, name):
        """The image of that name in ENCODERS."""
        path = self.folder / name
        if not path.exists():
            words = [word.format(out=path, **self.sources) for word in ENCODERS[name].split()]
            subprocess.run(words, check=True, capture_output=True, timeout=60)
        extension = name.rpartition(".")[2]
        return Image(path.read_bytes(), MEDIA_TYPES[extension], extension)

    @staticmethod
    def noise(width=8, height=8):
        """A new PNG of random pixels, not compressed: about 3 × width × height bytes."""
        file = io.BytesIO()
        pixels = os.urandom(width * height * 3)
        PIL.Image.frombytes("RGB", (width, height), pixels).save(file, "PNG", compress_level=0)
        return Image(file.getvalue(), "image/png", "png", width, height)

    @staticmethod
    def padded(image, length):
        """The image with zeros behind its end, up to length."""
        return replace(image, data=image.data.ljust(length, b"\0"))
