#!/usr/bin/env bash
# Runs the integration tests on the release build, in the rounds of whole_run.py. ./vigia test calls it; so can you, with
# pytest's own arguments, one after the other then:
#   tests/integration/run_integration_tests.sh -k exporters -x
# or with --thorough, for those that are marked so, or with --beside or --record, as whole_run.py says.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${VIGIA_PYTHON:-$root/.vigia/venv/bin/python}
if [ ! -x "$python" ]; then
  echo "the Python environment is missing: run ./vigia test integration once" >&2
  exit 2
fi
cd "$root"
export PYTHONPATH="$root/tools:$root/tests/integration${PYTHONPATH:+:$PYTHONPATH}"
unset PYTHONDONTWRITEBYTECODE  # pytest would write all tests' assertions anew in each of its processes
case "${1:---thorough}" in
  --thorough | --beside* | --record) ;;
  *) exec "$python" -m pytest tests/integration services/collector/test_collector.py -p no:cacheprovider --durations=20 "$@" ;;
esac
if ! "$python" -c "import xdist" 2>/dev/null; then
  echo "pytest-xdist is missing: run ./vigia test integration once" >&2
  exit 2
fi
exec "$python" -m whole_run "$@"
