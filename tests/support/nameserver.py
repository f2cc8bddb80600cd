"""A resolver on loopback that answers from a table over UDP: aliases, missing names, failures, DNSSEC as it claims."""

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass
class Zone:
    """What the resolver knows: ("example.com", "CAA") -> texts of records. Other names below known ones don't exist."""

    records: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    bogus: frozenset[str] = frozenset()  # SERVFAIL unless DNSSEC checking is off
    broken: frozenset[str] = frozenset()  # SERVFAIL
    refused: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()  # no answer at all
    validating: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True) or ".", dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.silent and kind != "DS":
            return None
        if name in self.refused:
            response.set_rcode(dns.rcode.REFUSED)
        elif kind != "DS" and self._fails(name, query):  # a DS stands in the parent's zone
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            self._resolve(name, kind, response)
        return response

    def _fails(self, name: str, query: dns.message.Message) -> bool:
        return name in self.broken or (name in self.bogus and not query.flags & dns.flags.CD)

    def _resolve(self, name: str, kind: str, response: dns.message.Message) -> None:
        while alias := self.records.get((name, "CNAME")):
            self._add(response, name, "CNAME", alias)
            name = alias[0].rstrip(".")
        if texts := self.records.get((name, kind)):
            self._add(response, name, kind, texts)
        elif name not in {known for known, _ in self.records}:
            response.set_rcode(dns.rcode.NXDOMAIN)
        if self.validating:
            response.flags |= dns.flags.AD

    @staticmethod
    def _add(response: dns.message.Message, name: str, kind: str, texts: tuple[str, ...]) -> None:
        response.answer.append(dns.rrset.from_text(dns.name.from_text(name), 300, "IN", kind, *texts))


class Nameserver(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, zone: Zone) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.zone = zone

    @property
    def port(self) -> int:
        port: int = self.server_address[1]
        return port


class _Handler(socketserver.BaseRequestHandler):
    server: Nameserver

    def handle(self) -> None:
        wire, socket = self.request
        response = self.server.zone.answer(dns.message.from_wire(wire))
        if response is not None:
            socket.sendto(response.to_wire(), self.client_address)


@contextmanager
def nameserver(zone: Zone) -> Iterator[Nameserver]:
    """Run a resolver in a thread."""
    with Nameserver(zone) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
