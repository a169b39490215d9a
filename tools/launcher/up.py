"""`./vigia up`, `down`, `status` and `logs`: one whole Vigía on this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import shutil
import sys
from collections.abc import Set
from pathlib import Path
from typing import Any

from launcher import (
    build,
    cassandra,
    commands,
    configuration,
    demo,
    log_keeper,
    log_view,
    packages,
    parts,
    processes,
    standing,
)
from launcher.commands import Command
from launcher.control import RequestRefused, wait_until_ready
from launcher.layout import AgentPlace, Layout, check_port_base, demo_agents, taken_addresses, with_port_base
from launcher.paths import CONFIG, DATA, DEMO_FILE, LOG, RELEASE_BIN, SECRETS_FILE, STATE, make_state_folders
from launcher.settings import Settings
from launcher.shell import Failure, say

SETTINGS_FILE = STATE / "settings.json"


def _asked(settings: Settings, **asked: int | str | bool | None) -> dict[str, Any]:
    """What was chosen before, but for what is asked for now."""
    return settings.chosen() | {name: value for name, value in asked.items() if value is not None}


def _layout(settings: dict[str, Any]) -> Layout:
    return Layout(
        config=CONFIG,
        data=DATA,
        ports=with_port_base(settings.get("port_base")),
        node_down_for=settings.get("node_down_for", "2m"),
        with_cassandra=settings.get("with_cassandra", False),
    )


def _start(command: Command) -> int:
    """Starts a program unless it runs, waits until it is ready; its pid."""
    running = processes.find(command.name)
    if running is not None and processes.is_outdated(running):
        processes.stop(running)
    if running is None or not processes.is_running(running):
        running = processes.start(command.name, command.words, command.env)
    process = running
    wait_until_ready(command.name, command.ready_url, lambda: processes.is_running(process))
    say(f"{command.name} is ready")
    return process.pid


def _start_cassandra(layout: Layout) -> None:
    """Returns when it answers, some ten seconds later where it has data."""
    node = commands.cassandra_node(layout, LOG)
    running = processes.find(commands.CASSANDRA)
    if running is None or not processes.is_running(running):
        say("starting Cassandra")
        node.write_configuration()
        running = processes.start(commands.CASSANDRA, node.command(), node.environment(), node.folder)
    process = running
    node.wait_until_ready(lambda: processes.is_running(process))
    say(f"{commands.CASSANDRA} is ready at {node.contact_point}")


def _keep_logs() -> None:
    """Before any part writes."""
    running = processes.find(log_keeper.NAME)
    if running is None or not processes.is_running(running):
        processes.start(log_keeper.NAME, commands.log_keeper_words(LOG))


def _stop_if_older(name: str, file: Path) -> None:
    """The monitor holds the pages as they were when it started; `_start` starts it again."""
    running = processes.find(name)
    if running is not None and processes.is_older_than(running, file):
        processes.stop(running)


def _prepare(*, with_cassandra: bool) -> tuple[Path, Path]:
    """Installs and builds; the portal's folder and the Python of the demo."""
    packages.install(with_cassandra=with_cassandra)
    parts.install()
    if with_cassandra:
        say(f"Cassandra {cassandra.version()} will run on {cassandra.java()}")
        cassandra.jars()
    build.programs("release", [f"vigia-{name}" for name in build.PROGRAMS], with_cassandra=with_cassandra)
    return build.portal(), build.python_environment()


def _are_running() -> bool:
    return any(processes.is_running(process) for process in processes.known())


def _check_free(layout: Layout, agents: list[AgentPlace]) -> None:
    taken = taken_addresses(layout, agents)
    if taken:
        raise Failure(f"somebody listens already on {', '.join(taken)}; end that, or use --port-base N")


def _check_store(layout: Layout) -> None:
    """`up` carries nothing from one kind of store to the other: what is there would seem to be gone."""
    other = configuration.storage_folder(dataclasses.replace(layout, with_cassandra=not layout.with_cassandra))
    if not other.exists():
        return
    kept, flag = ("RocksDB", "--no-cassandra") if layout.with_cassandra else ("Cassandra", "--cassandra")
    raise Failure(
        f"the cold store of {_shown(layout.data)} is on {kept}, and up copies nothing to the other kind: ./vigia up {flag} "
        "goes on with it; ./vigia down --wipe deletes all data, and then either kind can begin "
        "(vigia-storage copy carries what there is: docs/keeping.md)"
    )


def up(*, port_base: int | None, node_down_for: str | None, with_cassandra: bool | None) -> None:
    """Installs, builds and starts what is missing, then prints addresses and log-ins."""
    make_state_folders()
    settings = Settings(SETTINGS_FILE)
    old = settings.running()
    asked = _asked(settings, port_base=port_base, node_down_for=node_down_for, with_cassandra=with_cassandra)
    check_port_base(asked.get("port_base"))
    layout, agents = _layout(asked), demo_agents()
    _check_store(layout)
    # Before the minutes of a build, and before anything is stopped or remembered.
    if not _are_running() or layout.ports != _layout(old).ports:
        _check_free(layout, agents)
    # From here on it is the choice, also where a package, the build or a part fails.
    settings.choose(asked)
    portal, python = _prepare(with_cassandra=layout.with_cassandra)
    if _are_running() and layout != _layout(old):
        say("stopping what runs with the old settings")
        _stop_all()
    if not _are_running():
        _check_free(layout, agents)
    settings.start()
    _stop_if_older("monitor", portal / "index.html")
    kept = demo.load_secrets(SECRETS_FILE)
    configuration.write_all(layout, agents, kept["internal_token"], portal)
    _keep_logs()
    _start(commands.webhook(layout))
    if layout.with_cassandra:
        _start_cassandra(layout)
    for command in commands.central(layout, RELEASE_BIN, kept):
        _start(command)
    demo.create(layout, agents, kept, SECRETS_FILE)
    if not demo.wait_for_tokens(layout, kept):
        say("the collector does not know the customers' tokens yet; agents send again until it does")
    pids = {}
    for place in agents:
        token = kept["customers"][place.customer_id]["ingest_token"]
        pids[place.name] = _start(commands.agent(layout, place, RELEASE_BIN, token))
    _start(commands.shop(layout, python, agents[0].relay_host))
    demo.save_private(DEMO_FILE, demo.description(layout, agents, kept, pids))
    print_access(layout)


def _shown(path: Path) -> str:
    """A path as it can be pasted into the shell that ./vigia was called from."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _log_in(name: str, user: str, password: str, gone: Set[str]) -> str:
    if user in gone:
        return f"    {name}  user {user:<12} is not there any more: ./vigia up makes it again"
    return f"    {name}  user {user:<12} password {password}"


def print_access(layout: Layout, is_whole: bool = True, gone: Set[str] = frozenset()) -> None:
    """Addresses, log-ins but those that are `gone`, a query to copy, and how to add a node."""
    content = json.loads(DEMO_FILE.read_text())
    customers = content["customers"]
    second_node = _shown(CONFIG / "agent-a2.yaml")
    width = max(len("provider"), *(len(customer["name"]) for customer in customers))
    lines = [
        "",
        f"  {'Vigía is running' if is_whole else 'The portal'}: {content['monitor']['url']}",
        "",
        _log_in(f"{'provider':<{width}}", content["operator"]["user"], content["operator"]["password"], set()),
        *(_log_in(f"{c['name']:<{width}}", c["user"], c["password"], gone) for c in customers),
        "",
        "  Ask something (this token sees cliente-a only):",
        "",
        f"    curl -s -H 'Authorization: Bearer {customers[0]['read_token']}' \\",
        "      --data-urlencode 'query=avg(system_cpu_usage{customer_id=\"cliente-a\"}) by (node_id)' \\",
        f"      {content['router']['url']}/api/v1/query",
        "",
        f"  Agents and OpenTelemetry SDKs send to {layout.url('collector_grpc')} (gRPC) or {layout.url('collector_http')} (HTTP),",
        f"  with this customer's ingest token and the resource attribute customer.id={customers[0]['id']}:",
        "",
        f"    OTEL_EXPORTER_OTLP_ENDPOINT={layout.url('collector_grpc')} \\",
        f"    OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20{customers[0]['ingest_token']}' \\",
        f"    OTEL_RESOURCE_ATTRIBUTES=customer.id={customers[0]['id']}",
        "",
        "  Add a second node, here beside the first (on another machine: docs/deployment.md):",
        "",
        "    sed -e 's/prod-web-01/prod-web-02/; s/agent-a1/agent-a2/' \\",
        "      -e '/^health/s/127.0.0.1/127.0.0.14/; /^relay/s/127.0.0.11/127.0.0.14/g' \\",
        f"      {_shown(CONFIG / 'agent-a1.yaml')} > {second_node}",
        f"    VIGIA_TOKEN={customers[0]['ingest_token']} \\",
        f"      {_shown(RELEASE_BIN / 'vigia-agent')} --config {second_node}",
        "",
        "  It appears on the page by itself, runs in that terminal, and ends with Ctrl+C.",
        "",
        "  Alerts arrive at the demo's webhook: ./vigia logs webhook",
    ]
    if layout.with_cassandra:
        lines.append(
            f"  The cold store is on a Cassandra node: {layout.address('cassandra')}, keyspace observability; ./vigia logs cassandra"
        )
    if layout.node_down_for != "2m":
        lines.append(f"  Shortened for this demo: CustomerNodeDown fires after {layout.node_down_for}, not after 2m.")
    print("\n".join(lines), flush=True)


def _stop_all() -> None:
    # In reverse of the parts' order, not of when each was started last: senders first, so that what they still hold is
    # taken, and nobody waits for a collector that has ended before.
    for process in sorted(processes.known(), key=lambda process: commands.rank(process.name), reverse=True):
        processes.stop(process)
        say(f"{process.name} is stopped")


def _refuse_while_others_write() -> None:
    """Agents that a person started out of the printed lines are theirs to end; their buffers lie under our data."""
    writing = processes.strangers_with(CONFIG)
    if writing:
        named = ", ".join(f"{pid} ({' '.join(words)})" for pid, words in writing.items())
        raise Failure(f"started by hand and still running on {_shown(CONFIG)}: pid {named}; end that first")


def down(wipe: bool) -> None:
    if wipe:
        _refuse_while_others_write()
    if not processes.known():
        say("nothing runs")
    _stop_all()
    if wipe:
        for folder in (DATA, CONFIG, LOG):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (DEMO_FILE, SECRETS_FILE):
            file.unlink(missing_ok=True)
        say("data, configuration and log-ins are deleted; what was built and what `up` was asked for (ports) are kept")


def status() -> int:
    """Prints every part; 0 if all run, 3 otherwise, as service managers do."""
    known = processes.known()
    layout = _layout(Settings(SETTINGS_FILE).running())
    found = standing.survey(demo_agents(), known, processes.is_running, with_cassandra=layout.with_cassandra)
    trouble = standing.verdict(found)
    for part in found if known else []:
        print(part.line())
    if trouble is not None:
        print(trouble)
    if any(part.name == "monitor" and part.is_running for part in found):
        can_be_used = _print_access_again(is_whole=trouble is None)
        return 0 if can_be_used and trouble is None else 3
    return 3


def _print_access_again(is_whole: bool) -> bool:
    """Of what runs; false where the last `up` did not get as far as that."""
    layout = _layout(Settings(SETTINGS_FILE).running())
    content = json.loads(DEMO_FILE.read_text()) if DEMO_FILE.exists() else None
    # After an `up` with other ports that was ended midway the file tells of addresses that nobody listens on.
    if content is None or content["monitor"]["url"] != layout.url("monitor"):
        print("The last ./vigia up did not come to its end: ./vigia up again makes log-ins and shows addresses")
        return False
    gone: set[str] = set()
    try:
        gone = demo.gone_log_ins(content)
    except (OSError, RequestRefused) as problem:
        print(f"Whether the log-ins below are there could not be asked: {problem}")
    print_access(layout, is_whole, gone)
    return True


def logs(names: list[str], follow: bool, lines: int) -> None:
    there = sorted(file.stem for file in LOG.glob("*.log"))
    if not there:
        raise Failure("there are no logs yet: ./vigia up starts Vigía")
    unknown = [name for name in names if name not in there]
    if unknown:
        raise Failure(f"there is no log of {', '.join(unknown)}; there are logs of {', '.join(there)}")
    files = {name: LOG / f"{name}.log" for name in (names or there)}
    if follow:
        sys.stdout.flush()
        os.execvp("tail", ["tail", "-n", str(lines), "-F", *map(str, files.values())])
    ends = {name: log_view.tail(file, lines) for name, file in files.items()}
    shown = log_view.merged(ends) if len(ends) > 1 else next(iter(ends.values()))
    for line in shown:
        print(line)
    for name in names:
        if files[name].stat().st_size == 0:
            print("no alert has arrived yet" if name == "webhook" else f"{name} has written nothing yet")
