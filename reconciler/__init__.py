"""certrecon: declarative reconciler for TLS certificates on a CDN."""

__version__ = "0.1.0"
