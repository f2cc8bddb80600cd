"""Where the program starts. `--version` is answered before anything else is imported; all else is `cli.main`'s."""

import gc
import sys

# Modules are objects that stay. A short command ends before it has made so many, and never looks for garbage in them,
# which at Python's own threshold of 700 is a tenth of its time. A long run still looks, every 20 MB or so.
_OBJECTS_BETWEEN_COLLECTIONS = 200_000


def run() -> None:
    if sys.argv[1:] in (["--version"], ["version"]):
        from reconciler.cli.version import version

        version()
        return
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from reconciler.cli.main import main

    sys.exit(main())
