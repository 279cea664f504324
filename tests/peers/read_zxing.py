"""What zxing-cpp reads in many pictures, in one process: in the whole, then in seven tiles, then in these twice as large.

    read_zxing.py < PATHS > READINGS

One path of a grey picture a line in; one line of JSON a path out: {"said": ["https://..."], "seconds": 0.02}. It stops at
the first look that reads a code; `seconds` is the processor time of the looks, without that of opening the file.
"""

import json
import sys
import time

import zxingcpp
from PIL import Image


def said(picture):
    # Everything that makes it try harder is on by default.
    return [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


def tiles(page):
    """Six tiles that lie over each other by a fifth, and one over the middle."""
    width, height = page.size
    wide, tall = width * 42 // 100, height * 60 // 100
    for top in (0, height - tall):
        for left in (0, (width - wide) // 2, width - wide):
            yield page.crop((left, top, left + wide, top + tall))
    left, top = (width - wide) // 2, (height - tall) // 2
    yield page.crop((left, top, left + wide, top + tall))


def looks(page):
    yield page
    yield from tiles(page)
    for tile in tiles(page):
        yield tile.resize((tile.width * 2, tile.height * 2), Image.Resampling.BILINEAR)


def main():
    for line in sys.stdin:
        with Image.open(line.rstrip("\n")) as file:
            page = file.convert("L")
        since = time.thread_time()
        found = next(filter(None, map(said, looks(page))), [])
        print(json.dumps({"said": found, "seconds": time.thread_time() - since}), flush=True)


main()
