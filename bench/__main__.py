"""All benchmarks: `python -m bench [--count N]`."""

import sys

from bench.plan import plan
from bench.seed import seed
from bench.stage import main
from bench.validate import validate

if __name__ == "__main__":
    sys.exit(main(seed, validate, plan))
