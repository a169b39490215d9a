"""What one customer feels of another: B sends points, asks queries, has a page open and one alert, while A does each of the
loads of neighbour_loads.py. A whole Vigía on real Prometheus and Alertmanager; calm runs stand between the loads, and each
load is judged by the calm runs before and after it.

    ./vigia test integration        # once: builds, and sets up the Python environment
    PYTHONPATH=tools:tests/integration:bench .vigia/venv/bin/python bench/neighbour.py [--seconds 20] [--only A1,B3] [--json FILE]

Ends with 1 where a figure is more than doubled, anything of B is refused or lost, or a load that is legal was not taken whole,
unless bench/reasons.toml says why. Some 17 minutes with 20 seconds a load.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path

from launcher import demo
from launcher.control import Control
from launcher.layout import demo_agents
from neighbour_customer import Place, acting
from neighbour_loads import LOADS
from neighbour_table import CALM, faults, lines
from neighbour_victim import CUSTOMER, Felt, Victim
from otlp import gauge, metrics_request, post, resource_of
from stack import Stack, new_faults, wait_for

WARM_UP_SECONDS = 20
CALM_EACH = 8  # loads
RULES = """\
groups:
  - name: neighbour
    interval: 1s
    rules:
      - {alert: NeighbourFlag, expr: 'neighbour_flag == 1', labels: {severity: warning, customer_id: cliente-b}}
"""


def place_of(stack: Stack, name: str) -> Place:
    """Each load's customer, by its place in the list."""
    customer = customer_of(name)
    tokens = (stack.token(customer, scope) for scope in ("ingest", "read"))
    return Place(stack.layout, customer, *tokens, stack.secrets["admin_password"])


def customer_of(name: str) -> str:
    return f"load-{list(LOADS).index(name):02}"


def measure(stack: Stack, name: str, number: int, seconds: float) -> Felt:
    """One load, or a calm run. What goes wrong with the load itself costs this one alone."""
    chosen = LOADS[name]
    felt = Felt(name, chosen.fault, is_legal=chosen.is_legal)
    place = place_of(stack, name)
    try:
        with chosen.around(stack, place), acting(name, place, seconds) as act:
            victim = Victim(stack, felt, number)
            try:
                neighbour = act()
            finally:
                victim.stop()
            felt.of_a, felt.rejected_of_a, felt.why_of_a = dict(neighbour.answers), neighbour.rejected, neighbour.why
            victim.settle()
    except Exception as error:
        traceback.print_exc()
        felt.broken = f"{type(error).__name__}: {error}".partition("\n")[0]
    ended = [part for part, running in stack.running.items() if not running.is_running()]
    if ended:
        felt.broken = f"{', '.join(ended)} ended. {felt.broken}"
        stack.start(*ended)
    felt.broken += " ".join(new_faults())
    return felt


def start(folder: Path, names: list[str]) -> Stack:
    """All of the provider's side, B, and a customer for each load."""
    agents = [replace(place, is_scraped=False) for place in demo_agents() if place.customer_id == CUSTOMER]
    stack = Stack(folder, agents=[])
    (stack.layout.data / "rules" / "hot-0" / "neighbour.yml").write_text(RULES)
    stack.start("webhook")
    for name in ("storage", "alertmanager", "monitor", "prometheus-hot", "prometheus-query", "router", "collector"):
        stack.start(name)
    demo.create(stack.layout, agents, stack.secrets, folder / "secrets.json")
    with Control(stack.layout.url("monitor"), "admin", stack.secrets["admin_password"]) as control:
        for customer in map(customer_of, names):
            control.request("POST", "/customers", {"id": customer, "name": customer})
            stack.secrets["customers"][customer] = {
                f"{scope}_token": control.request(
                    "POST", f"/customers/{customer}/tokens", {"name": "bench", "scope": scope}
                )["token"]
                for scope in ("ingest", "read")
            }
    stack.wait_for_tokens()
    url, token = stack.layout.url("collector_http"), stack.token(CUSTOMER, "ingest")
    body = metrics_request(resource_of(CUSTOMER), gauge("first", [(time.time_ns() // 1_000_000, 1.0)]))
    wait_for("B is taken", lambda: post(url, token, body.SerializeToString()).status_code == 200)
    return stack


def plan(only: str) -> list[str]:
    """The loads of the faults named (or parts of their names), all where none is, with calm runs between and at the end."""
    wanted = {word.strip() for word in only.split(",") if word.strip()}
    names = [
        name
        for name, chosen in LOADS.items()
        if name != CALM
        and (
            not wanted
            or wanted & set(chosen.fault.split(", "))
            or any(word in name for word in wanted if len(word) > 3)
        )
    ]
    planned = [CALM]
    for number, name in enumerate(names, 1):
        planned += [name, CALM] if number % CALM_EACH == 0 or number == len(names) else [name]
    return planned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="of each load")
    parser.add_argument("--only", default="", help="faults or parts of loads' names, with commas")
    parser.add_argument("--json", type=Path, help="what was measured, for bench/run.py")
    options = parser.parse_args()
    planned = plan(options.only)
    felt: list[Felt] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vigia-neighbour-") as folder, start(Path(folder), list(LOADS)) as stack:
        measure(stack, CALM, -1, WARM_UP_SECONDS)  # connections, caches, the first notification
        for number, name in enumerate(planned):
            felt.append(measure(stack, name, number, options.seconds))
            print(lines(felt)[-1], flush=True)
            if options.json:
                options.json.write_text(json.dumps([asdict(one) for one in felt]))
    print("\n".join(lines(felt)))
    print(f"\n{len(felt)} runs of {options.seconds:g} s took {(time.monotonic() - began) / 60:.0f} minutes.")
    found = faults(felt)
    for fault in found:
        print(f"- **{fault}**")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
