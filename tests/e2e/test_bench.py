"""`make bench`: it runs, and its results can be read by a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("no_cover")

ROOT = Path(__file__).resolve().parents[2]


def test_each_benchmark_tells_seconds_and_a_ratio_to_its_yardstick(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--count", "20"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    names = ["seed", "validate", "plan", "comment", "page", "version", "validate_one"]
    assert [result["benchmark"] for result in results] == names
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == names
    assert [result["count"] for result in results] == [20, 20, 20, 10_000, 10_000, 1, 1]
    for result in results:
        assert min(result["seconds"], result["yardstick_seconds"], result["ratio"]) > 0
    assert list(tmp_path.iterdir()) == []
