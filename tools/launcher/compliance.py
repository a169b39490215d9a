"""What others say, as programs: prometheus/compliance's suite for receivers of remote write 2.0, Prometheus' own PromQL parser
and translator, the OpenTelemetry Collector. They are fetched as Go modules and built outside of what is ours."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from launcher.paths import ROOT, STATE
from launcher.shell import Failure, output, run, say

MODULE = "github.com/prometheus/compliance/remotewrite/receiver"
VERSION = "v0.0.0-20260806071727-67b8327a2e93"
SUM = "h1:VPMEZpXBAlaQrdz+ER6AQ9ArmxkYSy/SxkUixEwtH3Q="  # of that version's files, as Go counts them
_GO_MINOR_MIN = 25  # go.mod of the suite, and of Prometheus
PARSER_MODULE = "github.com/prometheus/prometheus"
PARSER_SOURCE = ROOT / "tests" / "compliance" / "promql_parser"
TRANSLATOR_SOURCE = ROOT / "tests" / "compliance" / "otlp_translator"
GO_COLLECTOR_SOURCE = ROOT / "tests" / "compliance" / "otelcol" / "otelcol.yaml"
NODE_SDK_SOURCE = ROOT / "tests" / "compliance" / "node_sdk"
JAVA_SDK_SOURCE = ROOT / "tests" / "compliance" / "java_sdk"
_MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.159.0"
OTTL_SOURCE = ROOT / "tests" / "compliance" / "ottl_runner"
PARSER_VERSION = "v0.314.0"  # Prometheus 3.14.0; its sum stands in tests/compliance/promql_parser/go.sum


def _check_go(minor_min: int = _GO_MINOR_MIN) -> None:
    # Where go.mod says so, an older Go fetches what is newer, and is it there.
    version = output(["go", "version"], cwd=PARSER_SOURCE) if shutil.which("go") else ""
    found = re.search(r"go1\.(\d+)", version)
    if found is None or int(found[1]) < minor_min:
        has = f"here is {found[0]}" if found else "none is in PATH"
        raise Failure(f"the compliance suites are built by Go 1.{minor_min} or newer, {has}: install it and try again")


def _files() -> Path:
    """The module's folder. Its go.mod names another module than its path does, so nothing can require it: it is copied and
    built by itself."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["go", "mod", "download", "-json", f"{MODULE}@{VERSION}"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise Failure(f"the compliance suite could not be fetched: {done.stderr.strip()}") from None
    if "Dir" not in told:
        raise Failure(f"the compliance suite could not be fetched: {told.get('Error', done.stderr.strip())}")
    if told.get("Sum") != SUM:
        raise Failure(f"the compliance suite {VERSION} is not what it was: its sum is {told.get('Sum')}, not {SUM}")
    return Path(told["Dir"])


def remote_write_receiver() -> Path:
    """The suite as a program; fetched and built the first time."""
    folder = STATE / "compliance" / f"remote-write-{VERSION}"
    program = folder / "suite"
    if program.exists():
        return program
    _check_go()
    files = _files()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(files, folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    say("the compliance suite is built, which fetches what it needs of Prometheus: a minute or two")
    run(["go", "test", "-c", "-o", "building", "."], cwd=folder, what="build of the compliance suite")
    (folder / "building").rename(program)
    return program


def _go_program(source: Path, name: str, what: str) -> Path:
    """A program of ours around others' code, built the first time and whenever its source has changed. Go holds what it
    fetches to the sums in go.sum."""
    files = sorted(source.iterdir())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = STATE / "compliance" / f"{name}-{PARSER_VERSION}-{digest}"
    program = folder / name.rpartition("-")[2]
    if not program.exists():
        _check_go()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder, copy_function=shutil.copyfile)
        say(f"{what} is built, which fetches what it needs: a minute or two")
        run(["go", "build", "-mod=readonly", "-o", "building", "."], cwd=folder, what=f"build of {what}")
        (folder / "building").rename(program)
    return program


def promql_parser() -> tuple[Path, Path]:
    """Prometheus' parser as a program, and the folder of the module that it is of."""
    program = _go_program(PARSER_SOURCE, "promql-parser", "Prometheus' parser")
    module = output(["go", "list", "-m", "-f", "{{.Dir}}", PARSER_MODULE], cwd=program.parent)
    return program, Path(module.strip())


def otlp_translator() -> Path:
    """What Prometheus' OTLP endpoint makes of metrics, as a program."""
    return _go_program(TRANSLATOR_SOURCE, "otlp-translator", "Prometheus' translator of OTLP")


def built_go_collector() -> Path:
    """Where the OpenTelemetry Collector of tests/compliance/otelcol lies, whether it is built or not."""
    digest = hashlib.sha256(GO_COLLECTOR_SOURCE.read_bytes()).hexdigest()[:12]
    return STATE / "compliance" / f"otelcol-{digest}" / "otelcol"


def go_collector() -> Path:
    """The OpenTelemetry Collector with the parts that tests use; fetched and built the first time, which takes some minutes."""
    program = built_go_collector()
    if not program.exists():
        _check_go()
        folder = program.parent / "building"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copyfile(GO_COLLECTOR_SOURCE, folder / GO_COLLECTOR_SOURCE.name)
        say("the OpenTelemetry Collector is built, which fetches what it needs: some minutes")
        env = {"GOBIN": str(folder), "GOFLAGS": "-buildvcs=false -p=2"}
        run(["go", "install", _BUILDER], cwd=folder, env=env, what="build of the OpenTelemetry Collector's builder")
        words: list[str | Path] = [folder / "builder", "--config", GO_COLLECTOR_SOURCE.name]
        run(words, cwd=folder, env=env, what="build of the OpenTelemetry Collector")
        (folder / "otelcol").rename(program)
        shutil.rmtree(folder)
    return program


def _go_tool(package: str, version: str, minor_min: int) -> Path:
    """A program of others as its own module builds it; Go holds the module to the public sums."""
    name = package.rpartition("/")[2]
    program = STATE / "compliance" / f"{name}-{version}" / name
    if not program.exists():
        _check_go(minor_min)
        program.parent.mkdir(parents=True, exist_ok=True)
        say(f"{name} is built, which fetches what it needs: a minute or two")
        env = {"GOBIN": str(program.parent), "GOFLAGS": "-p=2", "GOTOOLCHAIN": "local"}
        run(["go", "install", f"{package}@{version}"], cwd=program.parent, env=env, what=f"build of {name}")
    return program


def grpcurl() -> Path:
    """What people call gRPC with by hand."""
    return _go_tool("github.com/fullstorydev/grpcurl/cmd/grpcurl", "v1.9.3", _GO_MINOR_MIN)


def telemetrygen() -> Path:
    """OpenTelemetry's own sender of telemetry for tests."""
    contrib = "github.com/open-telemetry/opentelemetry-collector-contrib"
    return _go_tool(f"{contrib}/cmd/telemetrygen", "v0.161.0", 26)


def ottl_runner() -> Path:
    """What OpenTelemetry's OTTL makes of requests, as a program."""
    return _go_program(OTTL_SOURCE, "ottl-runner", "OpenTelemetry's OTTL")


def node_sdk() -> Path:
    """The folder of a sender made with OpenTelemetry's SDK for Node, which npm fetches by its lock file."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(NODE_SDK_SOURCE.glob("*.*")))).hexdigest()[
        :12
    ]
    folder = STATE / "compliance" / f"node-sdk-{digest}"
    if not (folder / "node_modules").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(NODE_SDK_SOURCE, folder, copy_function=shutil.copyfile)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, what="npm ci of the SDK for Node")
    return folder


def java_sdk() -> list[str]:
    """The words that run a sender made with OpenTelemetry's SDK for Java, whose parts Maven fetches."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(JAVA_SDK_SOURCE.iterdir()))).hexdigest()[:12]
    folder = STATE / "compliance" / f"java-sdk-{digest}"
    if not (folder / "Send.class").exists():
        for tool in ("mvn", "javac"):
            if shutil.which(tool) is None:
                raise Failure(f"the sender in Java is built by Maven and javac, and there is no {tool} in PATH")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(JAVA_SDK_SOURCE, folder, copy_function=shutil.copyfile)
        say("OpenTelemetry's SDK for Java is fetched: a minute or two")
        run(["mvn", "-q", "-B", _MAVEN_COPY, "-DoutputDirectory=jars"], cwd=folder, what="mvn for the SDK for Java")
        run(["javac", "-cp", "jars/*", "Send.java"], cwd=folder, what="javac of the sender")
    return ["java", "-cp", f"{folder}:{folder}/jars/*", "Send"]
