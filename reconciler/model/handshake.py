"""What a TLS endpoint shows for one name and one kind of key."""

from dataclasses import dataclass

from reconciler.model.certificate import KeyType
from reconciler.model.x509 import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One handshake; nothing in it is verified. `chain` has the leaf first; it is empty where none was shown."""

    key_type: KeyType  # that was asked for
    chain: tuple[Certificate, ...] = ()
    reached: bool = True  # somebody answered
    failure: str = ""  # why there is no chain, in the library's words
