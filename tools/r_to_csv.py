#!/usr/bin/env python3
"""Data frames of R as CSV, without R: tools/r_to_csv.py FILE [NAME[=PART]...] [--columns NEW=OLD,...] >out.csv

FILE is a saved workspace (.rda, .RData) or the data of a package (Rdata.rdb, with Rdata.rdx beside it). Without a NAME it lists
the data frames that FILE holds: rows, columns, name. Several frames with the same columns go one below the other; with NAME=PART
a first column `part` says which rows are whose. --columns picks columns, in that order, and may rename them. Those that R keeps as days or times since 1970 come out as ISO dates; NA is an
empty cell, factors are their labels.

The format is R's XDR serialisation, version 2 or 3 ("R Internals", section 1.8). Every length in it is checked by running out of
bytes: a damaged file ends in an error, never in a wrong table.
"""

import argparse
import bz2
import csv
import datetime
import io
import lzma
import math
import pathlib
import struct
import sys
import zlib

NA_INTEGER = -(2**31)


class Value:
    """What R holds: a list of Python values and its attributes by name."""

    def __init__(self, values, attributes=None):
        self.values = values
        self.attributes = attributes or {}

    def attribute(self, name):
        found = self.attributes.get(name)
        return list(found.values) if isinstance(found, Value) else []

    def named(self):
        return dict(zip(self.attribute("names"), self.values))


class Reader:
    """One serialised value of R."""

    def __init__(self, data):
        self.stream = io.BytesIO(data)
        self.references = []  # symbols and environments that later parts name by number
        if self.take(2) != b"X\n":
            raise ValueError("not an XDR serialisation")
        version = self.int()
        self.int(), self.int()  # the R that wrote it, the oldest that reads it
        if version == 3:
            self.take(self.int())  # the encoding that strings without a mark have
        elif version != 2:
            raise ValueError(f"serialisation of version {version}; expected 2 or 3")

    def take(self, count):
        found = self.stream.read(count)
        if count < 0 or len(found) != count:
            raise ValueError("ends early")
        return found

    def int(self):
        return struct.unpack(">i", self.take(4))[0]

    def length(self):
        count = self.int()
        return count if count != -1 else (self.int() << 32) + self.int()

    def ints(self):
        count = self.length()
        return [None if x == NA_INTEGER else x for x in struct.unpack(f">{count}i", self.take(4 * count))]

    def doubles(self):
        count = self.length()
        return struct.unpack(f">{count}d", self.take(8 * count))

    def string(self, flags):
        count = self.int()
        if count == -1:
            return None
        return self.take(count).decode("latin-1" if flags & (1 << 14) else "utf-8")

    def attributes(self, wanted):
        return self.value() if wanted else {}

    def pairs(self, flags):
        """A linked list of named values, which is what attributes and saved workspaces are."""
        found = {}
        while flags & 255 == 2:
            self.attributes(flags & 512)
            tag = self.value() if flags & 1024 else len(found)
            found[tag] = self.value()
            flags = self.int()
        if flags & 255 != 254:
            raise ValueError(f"a list that ends in a value of type {flags & 255}")
        return found

    def value(self):
        flags = self.int()
        kind, has_attributes = flags & 255, flags & 512
        if kind == 254 or kind in (253, 251, 250, 242, 241):  # NULL; environments that need no content
            return None
        if kind == 255:
            return self.references[(flags >> 8 or self.int()) - 1]
        if kind == 1:
            self.references.append(self.value())
            return self.references[-1]
        if kind == 2:
            return self.pairs(flags)
        if kind == 4:
            self.references.append(None)
            self.int()  # locked
            for _ in range(4):  # enclosure, frame, hash table, attributes
                self.value()
            return None
        if kind in (247, 248, 249):  # the namespace of a package
            self.int()
            for _ in range(self.int()):
                self.value()
            self.references.append(None)
            return None
        if kind == 9:
            return self.string(flags)
        if kind == 238:
            return self.compact()
        if kind in (3, 6):  # functions and calls, which data sets keep as attributes: read over
            self.attributes(has_attributes)
            if kind == 3:
                return [self.value() for _ in range(3)] and None
            tag = flags & 1024
            return [self.value() for _ in range(3 if tag else 2)] and None
        if kind in (10, 13):
            values = self.ints()
        elif kind == 14:
            values = self.doubles()
        elif kind == 16:
            values = [self.value() for _ in range(self.length())]
        elif kind in (19, 20):
            values = [self.value() for _ in range(self.length())]
        else:
            raise ValueError(f"a value of type {kind}, which data frames do not hold")
        return Value(values, self.attributes(has_attributes))

    def compact(self):
        """Vectors that R keeps in another form than their values (ALTREP)."""
        info = [x for x in self.value().values()]
        state, attributes = self.value(), self.value()
        if info[0] in ("compact_intseq", "compact_realseq"):
            count, first, step = state.values
            values = [first + step * i for i in range(int(count))]
            return Value([int(x) for x in values] if info[0] == "compact_intseq" else values, attributes)
        if info[0] == "deferred_string":
            source = next(iter(state.values())) if isinstance(state, dict) else state
            return Value([text(x) or None for x in source.values], attributes)
        if info[0].startswith("wrap_"):
            source = state.values[0] if isinstance(state, Value) else next(iter(state.values()))
            return Value(source.values, attributes or source.attributes)
        raise ValueError(f"a compact vector of the class {info[0]}")


def unpack(data):
    """What R's save() and lazy-load files are compressed with, by the first bytes."""
    if data[:2] == b"\x1f\x8b":
        return zlib.decompress(data, 31)
    if data[:3] == b"BZh":
        return bz2.decompress(data)
    if data[:6] == b"\xfd7zXZ\x00":
        return lzma.decompress(data)
    return data if data[:2] in (b"RD", b"X\n") else zlib.decompress(data)


def chunk(data):
    """One entry of an .rdb file: its size, then zlib, "2" and bzip2, or "Z" and raw LZMA2."""
    size, kind = struct.unpack(">I", data[:4])[0], data[4:5]
    if kind == b"2":
        found = bz2.decompress(data[5:])
    elif kind == b"Z":
        found = lzma.decompress(data[5:], lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6}])
    else:
        found = zlib.decompress(data[4:])
    if len(found) != size:
        raise ValueError(f"{len(found)} bytes where {size} are due")
    return found


def open_file(path):
    """The names that a file holds, and a function that reads one of them."""
    if path.suffix == ".rdb":
        index = Reader(unpack(path.with_suffix(".rdx").read_bytes())).value().named()
        data, places = path.read_bytes(), index["variables"].named()

        def read(name):
            start, size = places[name].values
            return Reader(chunk(data[start : start + size])).value()

        return list(places), read
    data = unpack(path.read_bytes())
    if data[:5] not in (b"RDX2\n", b"RDX3\n"):
        raise ValueError("neither a saved workspace nor an .rdb file")
    workspace = Reader(data[5:]).value()
    return list(workspace), workspace.get


def is_frame(value):
    return isinstance(value, Value) and "data.frame" in value.attribute("class") and bool(value.attribute("names"))


def text(x):
    """A cell. Numbers are written so that reading them gives the same number."""
    if x is None or isinstance(x, float) and math.isnan(x):
        return ""
    if isinstance(x, float):
        return str(int(x)) if x == int(x) and abs(x) < 1e15 else repr(x) if math.isfinite(x) else str(x)
    return str(x)


def cells(column):
    """A column of a data frame as text."""
    kinds, levels = column.attribute("class"), column.attribute("levels")
    if "factor" in kinds:
        return ["" if x is None else levels[int(x) - 1] for x in column.values]
    epoch = datetime.datetime(1970, 1, 1)
    seconds = 86400 if "Date" in kinds else 1 if "POSIXct" in kinds else 0
    if seconds:
        times = [None if text(x) == "" else epoch + datetime.timedelta(seconds=x * seconds) for x in column.values]
        return ["" if x is None else x.date().isoformat() if "Date" in kinds else x.isoformat() for x in times]
    return [text(x) for x in column.values]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("frames", nargs="*", metavar="NAME[=PART]")
    parser.add_argument("--columns", metavar="NEW=OLD,...", default="")
    options = parser.parse_args()
    picked = [column.partition("=") for column in options.columns.split(",") if column]
    names, read = open_file(options.file)
    if not options.frames:
        for name in names:
            frame = read(name)
            if is_frame(frame):
                print(f"{len(frame.values[0].values):8} {len(frame.values):5}  {name}")
        return
    out, header = csv.writer(sys.stdout, lineterminator="\n"), None
    for wanted in options.frames:
        name, marked, part = wanted.partition("=")
        if name not in names:
            raise ValueError(f"no object {name}; expected one of: {', '.join(names)}")
        frame = read(name)
        if not is_frame(frame):
            raise ValueError(f"{name} is no data frame")
        columns = frame.named()
        for new, _, old in picked:
            if (old or new) not in columns:
                raise ValueError(f"{name} has no column {old or new}; it has: {', '.join(columns)}")
        columns = {new: columns[old or new] for new, _, old in picked} or columns
        titles = (["part"] if marked else []) + list(columns)
        if header is None:
            out.writerow(titles)
        elif titles != header:
            raise ValueError(f"{name} has the columns {titles}; expected {header} as in the frame before")
        header = titles
        for row in zip(*[cells(column) for column in columns.values()], strict=True):
            out.writerow(([part] if marked else []) + list(row))


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.stderr.close()
    except (EOFError, KeyError, ValueError, OSError, lzma.LZMAError, zlib.error, struct.error) as error:
        sys.exit(f"tools/r_to_csv.py: {sys.argv[1] if len(sys.argv) > 1 else ''}: {error}")
