"""All benchmarks: `python -m bench [--count N]`."""

import sys

from bench.comment import comment
from bench.page import page
from bench.plan import plan
from bench.seed import seed
from bench.stage import main
from bench.start import validate_one, version
from bench.validate import validate

if __name__ == "__main__":
    sys.exit(main(seed, validate, plan, alone=(comment, page, version, validate_one)))
