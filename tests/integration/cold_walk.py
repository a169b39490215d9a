"""A walk of chance over everything that may happen to a cold store, each answer held against a model.

A step draws all that it does from the walk's seed and its own number, so some of the steps can be walked alone:
VIGIA_MODEL_SEED=… VIGIA_MODEL_STEPS=3,17,40 (numbers, or 5-9) is how a failure is reduced.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterable

import requests
from cold_draws import SERVICES
from cold_model import LogLine
from cold_questions import check_folder, random_matchers, random_range
from cold_site import CUSTOMERS, ColdSite
from cold_store import TOKEN
from cold_writes import Writes
from remote_read import CHUNKS, SAMPLES

MINUTES_AT_ONCE = 12  # late samples have waited long enough, windows are over
MINUTES_MAX = 110  # from where days end in the data, as the walk goes on


class Walk(Writes):
    def __init__(self, site: ColdSite, seed: int) -> None:
        super().__init__(site)
        self.seed = seed
        self.ran_minutes = 0

    def run(self, steps: Iterable[int]) -> None:
        """Ends with everything read, and looked for in the folder."""
        self.site.start()
        for number in steps:
            self.chance = random.Random(f"{self.seed}/{number}")
            kind = self.kind_of(number)
            self.done.append(f"{number}: {kind}")
            try:
                self.step(kind)
            except BaseException as error:
                raise AssertionError(self.told(error)) from error
        self.done.append("the end")
        try:
            self.read_all()
            self.look_at_rest()
        except BaseException as error:
            raise AssertionError(self.told(error)) from error

    def kind_of(self, number: int) -> str:
        """Dealt as cards are: each kind comes as often as it should in each round."""
        cards = [kind for kind, count in self.kinds().items() for _ in range(count)]
        random.Random(f"{self.seed}/round {number // len(cards)}").shuffle(cards)
        return cards[number % len(cards)]

    def kinds(self) -> dict[str, int]:
        """How often each comes in a round."""
        return KINDS

    def step(self, kind: str) -> None:
        STEPS[kind](self)

    def told(self, error: BaseException) -> str:
        return f"{type(error).__name__}: {error}\nseed {self.seed}, steps:\n  " + "\n  ".join(self.done)

    # Steps that read

    def read(self) -> None:
        customer = self.customer()
        own = self.site.model.of(customer).series
        times = [at for series in own.values() for at in series.cells]
        asked = (random_matchers(self.chance), *random_range(self.chance, self.site.now_ms(), times))
        self.note(f"{customer} {asked}")
        self.site.ask.samples(customer, asked, self.chance.choice([SAMPLES, CHUNKS]))
        self.site.ask.labels(customer, asked, self.chance.choice(["n", "zone", "__name__"]))

    def read_logs(self) -> None:
        customer, service, node = self.customer(), self.chance.choice(SERVICES), self.chance.choice(["n0", "n[12]"])
        parameters = {
            "direction": self.chance.choice(["forward", "backward"]),
            "limit": self.chance.choice(["1000", "23", "7"]),
        }
        parameters |= self.chance.choice(
            [{}, {"query": f'{{service_name="{service}",node_id=~"{node}"}}'}, {"matcher": f"service_name={service}"}]
        )

        def wanted(line: LogLine) -> bool:
            is_of_node = "query" not in parameters or line.node == node or (node != "n0" and line.node != "n0")
            return (line.service == service or len(parameters) == 2) and is_of_node

        times = self.seconds()
        self.note(f"{customer} {parameters} {times}")
        self.site.ask.log_lines(customer, parameters, wanted, times)

    def read_traces(self) -> None:
        customer, service = self.customer(), self.chance.choice(SERVICES)
        operation, limit, times = (
            self.chance.choice(["", "op-0", "op-2"]),
            self.chance.choice([3, 20, 1000]),
            self.seconds(),
        )
        self.note(f"{customer} {service} {operation} {times}")
        self.site.ask.traces_found(customer, service, operation, times, limit)
        ids = sorted({span.trace for span in self.site.model.spans_of(customer)})
        self.site.ask.traces_by_id(customer, self.chance.sample(ids, min(3, len(ids))))

    def seconds(self) -> tuple[int, int]:
        first, last = self.site.day_ms(self.days_ago())[0], self.site.day_ms(self.chance.choice([1, 4]))[1]
        first, last = (0, self.site.now_ms()) if first >= last else (first, last)
        return first // 1000, last // 1000

    def read_all(self) -> None:
        self.site.ask.all(CUSTOMERS)

    # Steps that end it

    def kill(self) -> None:
        self.site.kill()
        self._start_again()

    def kill_while_written(self) -> None:
        self.site.is_doomed = True
        self.write_at_once(kill_after=self.chance.random() * 0.08)
        self._start_again()

    def kill_at_a_point(self) -> None:
        name = self.chance.choice(list(self.site.points))
        self.note(name)
        self.come_to(name, self.chance.choice([1, 1, 2, 3, 7]))
        self._start_again()

    def come_to(self, name: str, count: int) -> bool:
        """Ends it where it comes to the point for the `count`th time; lets happen what may lead there, one after the other."""
        shim, writes = self.site.shim, [Walk._write_any] * 6
        leads = [*writes, Walk._copy, Walk._stop_and_launch]
        if name.startswith("sweep"):
            leads = [*writes, Walk.minutes_pass]
        if name.startswith("expiry"):
            self.site.begin_day({kind: max(5, days - 1) for kind, days in self.site.keep.items()})
            leads = [Walk._let_days_go]
        self.site.is_doomed = True
        shim.arm(self.site.points[name], count)
        for lead in leads:
            lead(self)
            if shim.left() == 0:
                self.note("it came to it")
                self.site.await_end()
                return True
        return False

    def _write_any(self) -> None:
        kinds = [Walk.write, Walk.write_burst, Walk.write_logs, Walk.write_spans, Walk.write_exemplars]
        self.chance.choice(kinds)(self)

    def _let_days_go(self) -> None:
        """A doubt about the time is taken away as a person would."""
        deadline = time.monotonic() + 8
        while self.site.shim.left() > 0 and time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException):
                self.site.storage.post("/api/v1/retention/confirm")
            self.site.await_point(0.2)

    def _copy(self) -> None:
        with contextlib.suppress(requests.RequestException):
            requests.post(f"{self.site.storage.url}/api/v1/checkpoint", headers=TOKEN, timeout=60)

    def _stop_and_launch(self) -> None:
        """It may end on both ways."""
        running = self.site.storage.running
        assert running is not None
        running.end()
        if self.site.shim.left() > 0:
            self.site.storage.launch()
            self.site.await_ready_or_end()

    def kill_while_it_starts(self) -> None:
        """A replay that is cut off, at a point or anywhere."""
        name = self.chance.choice(list(self.site.points))
        self.note(name)
        self.site.kill()
        self.site.shim.arm(self.site.points[name], self.chance.choice([1, 2, 4]))
        self.site.storage.launch()
        time.sleep(self.chance.random() * 0.3)  # the fault's moment, not a wait
        self._start_again()

    def stop(self) -> None:
        self.site.stop()
        self._start_again()

    def _start_again(self) -> None:
        self.site.kill()
        if self.chance.random() < 0.5:
            self.note(f"power lost, and {self.site.lose_power()} bytes")
        self.site.start()
        self.site.settle()

    def look_at_rest(self) -> None:
        """In the folder, stopped or killed."""
        if self.chance.random() < 0.5:
            self.site.stop()
        else:
            self.site.kill()
        self.site.check_stopped()

    def look_and_start(self) -> None:
        self.look_at_rest()
        self._start_again()

    def look_at_a_copy(self) -> None:
        check_folder(self.site.checkpoint(), self.site.model)

    def minutes_pass(self) -> None:
        """A sweep closes what is over, the next one lets the log go."""
        if self.ran_minutes + MINUTES_AT_ONCE > MINUTES_MAX:
            return
        self.ran_minutes += MINUTES_AT_ONCE
        for minutes in (MINUTES_AT_ONCE - 1, 1):
            self.site.pass_minutes(minutes)
            self.site.await_point(1.5)  # as long as a turn of the applier's takes

    def days_pass(self) -> None:
        keep = {kind: max(5, days - self.chance.choice([0, 0, 1, 2])) for kind, days in self.site.keep.items()}
        days = self.chance.choice([0, 1])
        self.note(f"{days}, {keep}")
        self.site.kill()
        self.site.move_on(days, keep)
        self._start_again()

    def delete(self) -> None:
        """Of a customer, or of nobody: then too all that is open goes into the store."""
        customer = self.chance.choice([*CUSTOMERS, "nobody", "nobody", "nobody"])
        self.note(customer)
        self.site.kill() if self.chance.random() < 0.5 else self.site.stop()
        is_killed = self.chance.random() < 0.5
        if is_killed:
            name = self.chance.choice([name for name in self.site.points if not name.startswith("expiry")])
            self.site.shim.arm(self.site.points[name], self.chance.choice([1, 2, 4, 9]))
            self.note(f"killed at: {name}, with {self.site.run_delete(customer).returncode}")
            self.site.shim.disarm()
            self.note(f"{self.site.lose_power()} bytes lost")
        self.site.delete(customer, was_begun=is_killed)
        self.site.check_stopped()
        self._start_again()


# How often in sixty steps.
KINDS = {
    "write": 8,
    "write burst": 2,
    "write again": 4,
    "write histograms": 4,
    "write exemplars": 2,
    "write at once": 2,
    "write logs": 4,
    "write spans": 4,
    "read": 7,
    "read logs": 4,
    "read traces": 4,
    "minutes pass": 1,
    "kill": 1,
    "kill while written": 2,
    "kill at a point": 4,
    "kill while it starts": 1,
    "stop": 1,
    "look at rest": 1,
    "look at a copy": 1,
    "days pass": 1,
    "delete": 2,
}

STEPS: dict[str, Callable[[Walk], None]] = {
    "write": Walk.write,
    "write burst": Walk.write_burst,
    "write again": Walk.write_again,
    "write histograms": Walk.write_histograms,
    "write exemplars": Walk.write_exemplars,
    "write at once": Walk.write_at_once,
    "write logs": Walk.write_logs,
    "write spans": Walk.write_spans,
    "read": Walk.read,
    "read logs": Walk.read_logs,
    "read traces": Walk.read_traces,
    "minutes pass": Walk.minutes_pass,
    "kill": Walk.kill,
    "kill while written": Walk.kill_while_written,
    "kill at a point": Walk.kill_at_a_point,
    "kill while it starts": Walk.kill_while_it_starts,
    "stop": Walk.stop,
    "look at rest": Walk.look_and_start,
    "look at a copy": Walk.look_at_a_copy,
    "days pass": Walk.days_pass,
    "delete": Walk.delete,
}


def walk(site: ColdSite, seed: int, steps: Iterable[int], kind: type[Walk] = Walk) -> None:
    """Of that seed, or of what the environment asks for; at its end the program is killed."""
    seed = int(os.environ.get("VIGIA_MODEL_SEED", seed))
    if os.environ.get("VIGIA_MODEL_STEPS"):
        steps = [number for part in os.environ["VIGIA_MODEL_STEPS"].split(",") for number in _between(part)]
    print(f"seed {seed}: VIGIA_MODEL_SEED and VIGIA_MODEL_STEPS (3,17,40-60) walk it again, all of it or some steps")
    try:
        kind(site, seed).run(steps)
    finally:
        site.kill()


def _between(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)
