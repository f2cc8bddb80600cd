"""Time `certrecon sandbox seed` beside what it can't do without: one CA signature for each certificate."""

import sys

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384

from bench.stage import Result, Stage, main, result, timed


def seed(stage: Stage, count: int) -> Result:
    """Seed `count` enrollments and their orders."""
    seconds = timed(lambda: stage.seed(count))
    issuer = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    reference = timed(lambda: [issuer.sign(b"certificate", padding.PKCS1v15(), SHA384()) for _ in range(count)])
    return result("seed", count, seconds, f"{count:,} RSA-3072 signatures", reference)


if __name__ == "__main__":
    sys.exit(main(seed))
