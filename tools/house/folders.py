"""Arrows between folders: two that include each other are one folder with two names."""

from __future__ import annotations

from dataclasses import dataclass

from house.product import Product
from house.tree import folder_of, layer_of


@dataclass(frozen=True)
class Arrow:
    """One of the include lines by which a folder knows another."""

    file: str
    line: int
    target: str


Pair = tuple[str, str]


class Folders:
    def __init__(self, product: Product) -> None:
        self._rooms: dict[Pair, Arrow] = {}
        self._folders: dict[Pair, Arrow] = {}
        for name in product.files:
            for line, target in product.includes[name]:
                arrow = Arrow(name, line, target)
                room, target_room = layer_of(name), layer_of(target)
                if room is None or target_room is None:
                    continue
                if room != target_room:
                    self._rooms.setdefault((room, target_room), arrow)
                elif folder_of(name) != folder_of(target):
                    self._folders.setdefault((folder_of(name), folder_of(target)), arrow)

    def two_way_rooms(self) -> dict[Pair, Arrow]:
        """Pairs of libraries or services, with an arrow that would have to go."""
        return _two_way(self._rooms)

    def two_way_folders(self, room: str | None = None) -> dict[Pair, Arrow]:
        """Pairs of folders inside of rooms. A library and its internal/ are one by design."""
        found = _two_way(self._folders)
        return {
            pair: arrow
            for pair, arrow in found.items()
            if pair[1] != f"{pair[0]}/internal" and (room is None or layer_of(f"{pair[0]}/") == room)
        }

    def inside(self, room: str) -> dict[Pair, Arrow]:
        """Every arrow between folders of a room, by their names in it; "" is the room's own folder."""
        return {
            (_within(first, room), _within(second, room)): arrow
            for (first, second), arrow in self._folders.items()
            if layer_of(f"{first}/") == room
        }


def _within(folder: str, room: str) -> str:
    return folder.removeprefix(room).removeprefix("/")


def _two_way(arrows: dict[Pair, Arrow]) -> dict[Pair, Arrow]:
    """The arrow kept is the one from the deeper folder, or the later by name: as a rule a part that knows its program."""
    return {pair: arrows[pair[1], pair[0]] for pair in sorted(arrows) if pair[0] < pair[1] and pair[::-1] in arrows}
