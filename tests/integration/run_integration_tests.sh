#!/usr/bin/env bash
# Runs the integration tests on the release build. ./vigia test calls it; so can you, with pytest's own arguments:
#   tests/integration/run_integration_tests.sh -k exporters -x
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${VIGIA_PYTHON:-$root/.vigia/venv/bin/python}
if [ ! -x "$python" ]; then
  echo "the Python environment is missing: run ./vigia test integration once" >&2
  exit 2
fi
cd "$root"
PYTHONPATH="$root/tools:$root/tests/integration" PYTHONDONTWRITEBYTECODE=1 \
  exec "$python" -m pytest tests/integration services/collector/test_collector.py -p no:cacheprovider "$@"
