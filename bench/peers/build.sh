#!/usr/bin/env bash
# Builds the peers that benchmarks measure beside us, from Go modules, into .vigia/peers: the OpenTelemetry Collector.
# Takes some minutes. Needs Go 1.26. Nothing of it is part of Vigía.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
peers=$root/.vigia/peers
mkdir -p "$peers"
export GOBIN=$peers GOTOOLCHAIN=local GOFLAGS="-buildvcs=false -p=2"
command -v go >/dev/null || { echo "Go is not installed: install Go 1.26 and run this again" >&2; exit 2; }
[ -x "$peers/builder" ] || go install go.opentelemetry.io/collector/cmd/builder@v0.159.0
cd "$peers"
"$peers/builder" --config "$root/bench/peers/otelcol.yaml"
echo "built $peers/otelcol/otelcol-peer"
