"""Command line of ./vigia."""

from __future__ import annotations

import argparse
import re
import signal
import sys

from launcher import build, checks, packages, up
from launcher.layout import last_port_base
from launcher.paths import make_state_folders
from launcher.shell import Failure, fail

_DESCRIPTION = """\
Vigía on one machine.

  ./vigia up        installs what is missing, builds, starts everything, prints address and log-ins
  ./vigia status    shows what runs, and the log-ins again
  ./vigia logs      shows the logs, of one part, or of several by time
  ./vigia down      stops everything; the data stay (--wipe deletes them)
  ./vigia test      installs, builds and runs the tests (test thorough: the long ones)
  ./vigia build     builds only (preset dev: Debug with sanitizers; ./vigia build release: what is shipped)
  ./vigia version   the version
"""


def _length_of_time(text: str) -> str:
    # Found here, not minutes later by the monitor.
    if not re.fullmatch(r"(\d+h)?(\d+m)?(\d+s)?", text) or not re.search("[1-9]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time such as 30s, 2m or 1m30s")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./vigia", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"Vigía {build.version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("up", help="install, build, start")
    start.add_argument(
        "--port-base",
        type=int,
        metavar="N",
        help="use ports N, N+1, … instead of the standard ones, from now on; "
        f"a number from 1024 to {last_port_base()}, 0 goes back to the standard ones",
    )
    start.add_argument(
        "--node-down-for",
        type=_length_of_time,
        metavar="30s",
        help="demo switch: fire CustomerNodeDown sooner than after the standard 2m",
    )
    start.add_argument(
        "--cassandra",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="keep the cold store on a Cassandra node of its own, from now on (some 70 MB to fetch, about 1 GB of memory); "
        "--no-cassandra goes back to the store without one. What one holds the other does not: it is chosen before there are data",
    )
    stop = commands.add_parser("down", help="stop everything")
    stop.add_argument(
        "--wipe", action="store_true", help="delete data, configuration and log-ins too; ports stay as chosen"
    )
    commands.add_parser("status", help="what runs, and the log-ins")
    logs = commands.add_parser("logs", help="show logs")
    logs.add_argument("service", nargs="*", help="storage, collector, agent-a1, … (default: all)")
    logs.add_argument("-n", "--lines", type=int, default=40, metavar="N", help="of each log (default: %(default)s)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on showing new lines")
    test = commands.add_parser("test", help="run the tests")
    test.add_argument(
        "step",
        nargs="*",
        help="lint, unit, portal, integration, browser (default: all), or thorough, compliance, fuzz, clang-tidy",
    )
    make = commands.add_parser("build", help="build only")
    make.add_argument(
        "preset",
        nargs="?",
        default="dev",
        choices=["dev", "release", "tsan", "fuzz"],
        help="dev (default): Debug with address and undefined-behaviour sanitizers; release: what is shipped and measured",
    )
    commands.add_parser("version", help="the version")
    return parser


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "up":
            up.up(port_base=options.port_base, node_down_for=options.node_down_for, with_cassandra=options.cassandra)
        case "down":
            up.down(options.wipe)
        case "status":
            return up.status()
        case "logs":
            up.logs(options.service, options.follow, options.lines)
        case "test":
            return checks.test(options.step)
        case "version":
            print(f"Vigía {build.version()}")
        case "build":
            make_state_folders()
            packages.check()
            build.programs(options.preset)
    return 0


def main() -> int:
    # `./vigia status | head` ends quietly.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    options = _parser().parse_args()
    try:
        return _run(options)
    except Failure as failure:
        fail(str(failure))
        return 1
    except KeyboardInterrupt:
        fail("interrupted; ./vigia status shows what runs")
        return 130


if __name__ == "__main__":
    sys.exit(main())
