"""Where the program starts. `--version` is answered before anything else is imported; all else is `cli.main`'s."""

import gc
import sys

# Imports make tens of thousands of objects and no garbage: at Python's own 700, looking for some is a tenth of a short
# command's time.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def run() -> None:
    if sys.argv[1:] in (["--version"], ["version"]):
        from reconciler.cli.version import version

        version()
        return
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from reconciler.cli.main import main

    sys.exit(main())
