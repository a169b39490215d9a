"""Draws a journey through the code: who hands what to whom, with the files that each station is read in.

docs/pictures/NAME.toml says it, docs/pictures/NAME.svg is drawn from it: python3 tools/pictures/journey.py draws all
anew, and tidy tells a picture that is not what its text says. Text is laid out by counted columns, so that the same
text is the same picture on every machine.

    title = "The life of a sample"     # for those who do not see the picture

    [[bands]]                          # from top to bottom; an arrow leads from each to the next
    room = "services/agent"            # its title
    note = "on the node"               # optional, small
    after = "append"                   # optional: the arrow comes from this station, not from the last one above

      [[bands.stations]]               # from left to right, in rows of four
      id = "read"                      # optional
      title = "The host is read"
      does = "every 15 s, on a grid aligned to the wall clock"
      files = ["services/agent/host/host_reader.cpp"]
"""

from __future__ import annotations

import sys
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"

_WIDTH, _MARGIN, _GAP = 1240, 16, 30
_COLUMNS = 4
_BOX = (_WIDTH - 2 * _MARGIN - 2 * _MARGIN - (_COLUMNS - 1) * _GAP) // _COLUMNS
_TEXT_COLUMNS, _FILE_COLUMNS, _TITLE_COLUMNS = 36, 34, 26
_LINE, _BAND_HEAD, _BAND_GAP, _PAD = 17, 36, 34, 14
_STYLE = (
    ".band{fill:#f4f6fb;stroke:#c9d2e3}.box{fill:#fff;stroke:#6b7a90}.room{fill:#1f4e8c;font-weight:700;font-size:15px}"
    ".n{fill:#1f4e8c}.nt{fill:#fff;font-weight:700;font-size:13px;text-anchor:middle}.t{fill:#17212e;font-weight:600;font-size:14.5px}"
    ".d{fill:#3c4858;font-size:13px}.f{fill:#2f6d48;font-size:11.5px;font-family:ui-monospace,Menlo,Consolas,monospace}"
    ".note{fill:#5a6675;font-size:13px}.a{fill:none;stroke:#2f7d4f;stroke-width:2.2}"
)


@dataclass(frozen=True)
class Station:
    id: str
    number: int
    title: list[str]
    does: list[str]
    files: list[str]

    @property
    def height(self) -> int:
        return 2 * _PAD + _LINE * (len(self.title) + len(self.does) + len(self.files)) + 8


@dataclass(frozen=True)
class Band:
    room: str
    note: str
    after: str
    rows: list[list[Station]]

    @property
    def height(self) -> int:
        return _BAND_HEAD + sum(max(station.height for station in row) + _GAP for row in self.rows) - _GAP + _PAD


@dataclass(frozen=True)
class Place:
    x: int
    y: int
    height: int


def _file_lines(names: list[str]) -> Iterator[str]:
    """A path that is too long for a line is broken behind folders; the lines after the first are set in."""
    for name in names:
        line = ""
        for part in name.split("/"):
            joined = f"{line}/{part}" if line else part
            if len(joined) > _FILE_COLUMNS and line:
                yield f"{line}/"
                joined = f"  {part}"
            line = joined
        yield line


def _station(text: dict[str, Any], number: int) -> Station:
    return Station(
        id=text.get("id", f"station {number}"),
        number=number,
        title=textwrap.wrap(text["title"], _TITLE_COLUMNS),
        does=textwrap.wrap(text["does"], _TEXT_COLUMNS),
        files=list(_file_lines(text["files"])),
    )


def read_bands(text: dict[str, Any]) -> list[Band]:
    bands, number = [], 0
    for band in text["bands"]:
        stations = []
        for station in band["stations"]:
            number += 1
            stations.append(_station(station, number))
        rows = [stations[at : at + _COLUMNS] for at in range(0, len(stations), _COLUMNS)]
        bands.append(Band(band["room"], band.get("note", ""), band.get("after", ""), rows))
    return bands


def _text(kind: str, x: int, y: int, line: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" xml:space="preserve">{escape(line)}</text>'


def _draw_station(station: Station, place: Place) -> Iterator[str]:
    yield f'<rect class="box" x="{place.x}" y="{place.y}" width="{_BOX}" height="{place.height}" rx="8"/>'
    yield f'<circle class="n" cx="{place.x + 20}" cy="{place.y + 22}" r="11"/>'
    yield f'<text class="nt" x="{place.x + 20}" y="{place.y + 26}">{station.number}</text>'
    y = place.y + _PAD + 13
    for kind, lines, x in (("t", station.title, 38), ("d", station.does, 14), ("f", station.files, 14)):
        for line in lines:
            yield _text(kind, place.x + x, y, line)
            y += _LINE
        y += 4


def _place(bands: list[Band]) -> Iterator[tuple[Band, int, dict[str, Place]]]:
    """Each band, its top and where its stations stand."""
    top = _MARGIN
    for band in bands:
        y, places = top + _BAND_HEAD, {}
        for row in band.rows:
            height = max(station.height for station in row)
            for column, station in enumerate(row):
                places[station.id] = Place(2 * _MARGIN + column * (_BOX + _GAP), y, height)
            y += height + _GAP
        yield band, top, places
        top += band.height + _BAND_GAP


def _arrow(path: str) -> str:
    return f'<path class="a" d="{path}" marker-end="url(#g)"/>'


def _arrow_between(start: Place, end: Place) -> str:
    """Along a row; to the next row; or down to another band, by the gap above it."""
    if start.y == end.y:
        return _arrow(f"M{start.x + _BOX} {start.y + 22}H{end.x - 2}")
    is_next_row = end.y - start.y - start.height <= _GAP
    above = end.y - (_GAP // 2 if is_next_row else _BAND_HEAD + _BAND_GAP // 2)
    return _arrow(f"M{start.x + _BOX - 24} {start.y + start.height}V{above}H{end.x - 8}V{end.y + 22}H{end.x - 1}")


def _arrows(bands: list[Band], places: dict[str, Place]) -> Iterator[str]:
    before = ""
    for band in bands:
        before = band.after or before
        for row in band.rows:
            for station in row:
                if before:
                    yield _arrow_between(places[before], places[station.id])
                before = station.id


def draw(text: dict[str, Any]) -> str:
    bands = read_bands(text)
    placed = list(_place(bands))
    places = {name: place for _, _, of_band in placed for name, place in of_band.items()}
    height = placed[-1][1] + bands[-1].height + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="system-ui, sans-serif"'
        ' role="img" aria-labelledby="title">',
        f'<title id="title">{escape(text["title"])}</title>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="g" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0 10 5 0 10z" fill="#2f7d4f"/></marker></defs>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for band, top, of_band in placed:
        parts.append(
            f'<rect class="band" x="{_MARGIN}" y="{top}" width="{_WIDTH - 2 * _MARGIN}" height="{band.height}" rx="12"/>'
        )
        parts.append(_text("room", 2 * _MARGIN, top + 24, band.room))
        parts.append(_text("note", 2 * _MARGIN + 9 * len(band.room) + 24, top + 24, band.note))
        for row in band.rows:
            for station in row:
                parts += _draw_station(station, of_band[station.id])
    return "\n".join([*parts, *_arrows(bands, places), "</svg>"]) + "\n"


def read(source: Path) -> dict[str, Any]:
    return tomllib.loads(source.read_text())


def main() -> int:
    for source in sorted(FOLDER.glob("*.toml")):
        source.with_suffix(".svg").write_text(draw(read(source)))
        print(f"drawn: {source.with_suffix('.svg').name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
