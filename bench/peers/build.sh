#!/usr/bin/env bash
# Brings the peers that benchmarks measure beside us into .vigia/peers: VictoriaMetrics, unpacked from Debian's package, and
# the OpenTelemetry Collector and prom-label-proxy, built from Go modules. Takes some minutes. Needs Go 1.26. Nothing of it is part of Vigía.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
peers=$root/.vigia/peers
mkdir -p "$peers"
if [ ! -x "$peers/victoria-metrics/usr/bin/victoria-metrics" ]; then  # unpacked: installed, it would start a service
  download=$(mktemp -d)
  (cd "$download" && apt-get -q download victoria-metrics && dpkg-deb -x ./*.deb "$peers/victoria-metrics")
  rm -r "$download"
  echo "unpacked $peers/victoria-metrics"
fi
export GOBIN=$peers GOTOOLCHAIN=local GOFLAGS="-buildvcs=false -p=2"
command -v go >/dev/null || { echo "Go is not installed: install Go 1.26 and run this again" >&2; exit 2; }
[ -x "$peers/prom-label-proxy" ] || go install github.com/prometheus-community/prom-label-proxy@v0.12.1
[ -x "$peers/builder" ] || go install go.opentelemetry.io/collector/cmd/builder@v0.159.0
cd "$peers"
"$peers/builder" --config "$root/bench/peers/otelcol.yaml"
echo "built $peers/otelcol/otelcol-peer"
