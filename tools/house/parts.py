"""Which folders of a service a folder of it may include: a service is built of parts that know those below them alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from house.folders import Arrow, Folders
from house.tree import Finding, Tree

# Lowest first: a folder may include those that stand behind it here, and no other; each of them stands above it, so no arrow
# can go round. The service's own folder, which puts the parts together, may include all, and none of them includes it.
# What is allowed is what is there: an arrow that nobody needs any more is taken out.
PARTS = {
    "services/agent": {
        "buffer": "",
        "host": "",
        "sender": "",
        "health": "buffer host sender",
        "telemetry": "buffer health host",
        "relay": "buffer health host telemetry",
    },
    "services/collector": {
        "bodies": "",
        "books": "",
        "clock": "",
        "config": "",
        "delivery": "bodies clock",
        "marks": "clock delivery",
        "side": "bodies books delivery",
        "exporters": "bodies books clock config delivery marks side",
        "exporters/debug": "bodies config exporters",
        "exporters/otlp": "config delivery exporters",
        "exporters/prometheus": "config exporters",
        "exporters/remote_write": "config delivery exporters",
        "memory_limiter": "config",
        "tail_sampling": "bodies books clock config side",
        "intake": "bodies books clock exporters side",
        "processors": "intake",
        "processors/attributes": "config intake processors",
        "processors/sampler": "intake processors",
        "processors/programs": "intake processors",
        "processors/filter": "config intake processors processors/programs",
        "processors/transform": "intake processors processors/programs",
        "receivers": "config intake",
        "parts": "config exporters exporters/debug exporters/otlp exporters/prometheus exporters/remote_write intake"
        " memory_limiter processors/attributes processors/filter processors/sampler processors/transform"
        " receivers tail_sampling",
    },
    "services/storage": {
        "histograms": "",
        "store": "histograms",
        "lanes": "",
        "identity": "",
        "customers": "store",
        "retention": "customers store",
        "quarantine": "customers store",
        "instance": "customers store",
        "heads": "customers histograms quarantine store",
        "ingest": "customers heads lanes store",
        "rows": "heads lanes store",
        "rolling": "lanes rows store",
        "keep": "customers heads histograms ingest instance quarantine retention rolling store",
        "read": "customers heads histograms lanes rolling rows store",
        "api": "customers heads histograms ingest lanes read store",
        "healing": "api ingest read",
        "peers": "api heads lanes read store",
        "store/cassandra": "customers instance store",
        "store/rocksdb/kv": "store",
        "store/rocksdb/index": "customers store store/rocksdb/kv",
        "store/rocksdb/events": "customers store store/rocksdb/kv",
        "store/rocksdb": "customers histograms instance store store/rocksdb/events store/rocksdb/index store/rocksdb/kv",
    },
    "services/router": {
        "access": "",
        "cache": "",
        "json": "",
        "request": "access",
        "spool": "access",
        "upstream": "access json request spool",
        "coverage": "json request upstream",
        "plan": "access coverage request",
        "stores": "access coverage spool upstream",
        "run": "access cache coverage json plan request stores upstream",
        "api/jaeger": "access coverage plan request stores upstream",
        "api/loki": "access json request stores upstream",
        "api/prometheus": "cache json plan request run spool stores upstream",
    },
    "services/monitor": {
        "access": "",
        "config": "",
        "fields": "",
        "store": "config fields",
        "api": "access store",
        "pages": "api",
        "customers": "api fields store",
        "users": "api store",
        "audit": "api store users",
        "nodes": "access api store",
        "tokens": "api nodes store",
        "channels": "access api store",
        "sessions": "access api config customers store tokens users",
        "alerting": "channels config customers store",
        "live": "alerting api customers nodes store",
        "internal_port": "access api channels customers live nodes store tokens",
    },
}
PLACE = "tools/house/parts.py"
Parts = dict[str, dict[str, str]]


def check_parts(tree: Tree, folders: Folders, parts: Parts = PARTS) -> Iterator[Finding]:
    for service, allowed in parts.items():
        arrows = {pair: arrow for pair, arrow in folders.inside(service).items() if pair[0]}
        yield from _check_order(tree, service, allowed)
        yield from _check_arrows(tree, service, allowed, arrows)
        yield from _check_readme(tree, service, allowed)


def _check_order(tree: Tree, service: str, allowed: dict[str, str]) -> Iterator[Finding]:
    below: set[str] = set()
    for part, targets in allowed.items():
        for target in sorted(set(targets.split()) - below):
            yield tree.finding(PLACE, 1, f"{service}: {part} stands before {target}, which has to come first")
        below.add(part)


def _check_arrows(
    tree: Tree, service: str, allowed: dict[str, str], arrows: dict[tuple[str, str], Arrow]
) -> Iterator[Finding]:
    permitted = {(part, target) for part, targets in allowed.items() for target in targets.split()}
    for (part, target), arrow in arrows.items():
        if (part, target) not in permitted:
            text = f"{service}/{part} must not know {target or 'the folder that puts the parts together'}"
            yield tree.finding(arrow.file, arrow.line, f"{text} ({PLACE})")
    for part, target in sorted(permitted - arrows.keys()):
        yield tree.finding(PLACE, 1, f"{service}: {part} knows {target} no more: take it out")


def _check_readme(tree: Tree, service: str, allowed: dict[str, str]) -> Iterator[Finding]:
    """The pages of the service name every part, and where they tell in a table what one knows, that is so."""
    pages = tree.tracked(f"{service}/*README.md")
    text = "\n".join(tree.text(page) for page in pages)
    readme = f"{service}/README.md"
    for part in allowed:
        name = re.escape(part.split("/")[-1])
        if not re.search(rf"(?<!\w){name}/|`{name}`", text):
            yield tree.finding(readme, 1, f"it says nothing of the part `{part}/`")
    for page in pages:
        yield from _check_table(tree, page, allowed)


def _check_table(tree: Tree, page: str, allowed: dict[str, str]) -> Iterator[Finding]:
    is_inside = False
    for number, line in enumerate(tree.lines(page), 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        is_inside = (is_inside and line.startswith("|")) or (cells[0], cells[-1]) == ("folder", "knows")
        for part in re.findall(r"`([\w/]+)`", cells[0]) if is_inside else ():
            inside = [targets for name, targets in allowed.items() if f"{name}/".startswith(f"{part}/")]
            known = {target.split("/")[0] for targets in inside for target in targets.split()} - {part}
            said = set(re.findall(r"`([\w/]+)`", cells[-1]))
            for target in sorted(known ^ said):
                yield tree.finding(
                    page, number, f"`{part}` {'knows' if target in known else 'does not know'} `{target}`"
                )
