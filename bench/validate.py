"""Time `certrecon validate` over the files of a fleet beside bare YAML parsing of the same bytes."""

import sys

from ruamel.yaml import YAML

from bench.stage import Result, Stage, main, result, timed


def validate(stage: Stage, count: int) -> Result:
    """Validate `count` certificate files."""
    stage.seed(count)
    seconds = timed(lambda: stage.certrecon("validate"))
    documents = [path.read_text() for path in (stage.project / "certificates").rglob("*.yaml")]
    parser = YAML(typ="safe", pure=True)
    reference = timed(lambda: [parser.load(text) for text in documents])
    kilobytes = sum(map(len, documents)) // 1000
    return result("validate", count, seconds, "bare YAML parsing", reference, kilobytes=kilobytes)


if __name__ == "__main__":
    sys.exit(main(validate))
