"""Where things lie in a checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".vigia"
PARTS = STATE / "parts"
RUN = STATE / "run"
LOG = STATE / "log"
DATA = STATE / "data"
CONFIG = STATE / "config"
DEMO_FILE = STATE / "demo.json"
SECRETS_FILE = STATE / "secrets.json"
VENV = STATE / "venv"
PYTHON = VENV / "bin" / "python"
PORTAL = ROOT / "portal"
RELEASE_BIN = ROOT / "build" / "release" / "bin"


def make_state_folders() -> None:
    """Creates .vigia and its folders, readable by the owner only: tokens lie there."""
    for folder in (STATE, PARTS, RUN, LOG, DATA, CONFIG):
        folder.mkdir(parents=True, exist_ok=True)
    STATE.chmod(0o700)
