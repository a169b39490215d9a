#!/usr/bin/env bash
# The receive path: OTLP/gRPC in, checked, series resolved, nothing kept. Receiver on core 0, load on core 1.
# Usage: bench/receive/run.sh [SECONDS] ; with the peer built (bench/peers/build.sh) it runs in the same go.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${VIGIA_BIN:-$root/build/release/bin}
seconds=${1:-10}

load() { taskset -c 1 "$bin/vigia-bench-load" --seconds "$seconds" "$@" || true; }

cases() { # pid port
  load --pid "$1" --port "$2" --signal metrics
  load --pid "$1" --port "$2" --signal metrics --items 100
  load --pid "$1" --port "$2" --signal metrics --compression gzip
  load --pid "$1" --port "$2" --signal metrics --compression zstd
  load --pid "$1" --port "$2" --signal traces --items 500
  load --pid "$1" --port "$2" --signal logs
}

echo "== vigia, checked and resolved, no log"
coproc RECEIVER { exec taskset -c 0 "$bin/vigia-bench-receiver"; }
read -r port <&"${RECEIVER[0]}"
cases "$RECEIVER_PID" "$port"
kill "$RECEIVER_PID"
wait "$RECEIVER_PID" 2>/dev/null || true

peer=$root/.vigia/peers/otelcol/otelcol-peer
if [ -x "$peer" ]; then
  echo "== Go collector, batch processor, nop exporter"
  folder=$(mktemp -d)
  port=$((20000 + RANDOM % 20000))
  cat > "$folder/config.yaml" <<YAML
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:$port, max_recv_msg_size_mib: 64}}}}
processors: {batch: {}}
exporters: {nop: {}}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    metrics: {receivers: [otlp], processors: [batch], exporters: [nop]}
    traces: {receivers: [otlp], processors: [batch], exporters: [nop]}
    logs: {receivers: [otlp], processors: [batch], exporters: [nop]}
YAML
  GOMAXPROCS=1 taskset -c 0 "$peer" --config "$folder/config.yaml" &
  peer_pid=$!
  for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
  cases "$peer_pid" "$port"
  kill "$peer_pid"
  wait "$peer_pid" 2>/dev/null || true
  rm -rf "$folder"
fi
