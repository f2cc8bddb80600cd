"""The folders of this machine's user that certrecon writes to: nothing in them is needed elsewhere."""

from collections.abc import Mapping
from pathlib import Path

import platformdirs

_APPLICATION = "certrecon"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder for what can be fetched or computed again."""
    named = environment.get("CERTRECON_CACHE_DIR")
    return Path(named).expanduser() if named else platformdirs.user_cache_path(_APPLICATION)


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the lock and journal of `backend: file`."""
    named = environment.get("CERTRECON_STATE_DIR")
    return Path(named).expanduser() if named else platformdirs.user_state_path(_APPLICATION)
