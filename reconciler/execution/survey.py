"""Read what the checks before an order need: of SCM one list and a few calls, of DNS one lookup a name and parent."""

import logging
from collections.abc import Iterable, Mapping

from reconciler.model.certificate import InstanceName
from reconciler.model.dns import AliasLookup, CaaLookup, CaaLookups, LookupFailure
from reconciler.model.names import DnsName
from reconciler.planning.caa import to_ask
from reconciler.planning.prospects import Prospect, ScmFacts, needs
from reconciler.ports import Dns, Scm

log = logging.getLogger(__name__)

_PATIENCE = 3  # timeouts in a row, after which nobody is taken to be there


def survey_scm(prospects: Iterable[Prospect], instances: Mapping[InstanceName, Scm]) -> Mapping[InstanceName, ScmFacts]:
    """Read domains, validations and details for these orders; what cannot be read says so.

    Raises:
        AuthenticationError: an instance did not accept the credentials.
    """
    return {
        name: ScmFacts(
            domains=instances[name].domains(need.names),
            validations={one: instances[name].validations(one) for one in sorted(need.validations)},
            details={one: instances[name].organization_details(one) for one in sorted(need.details)},
        )
        for name, need in needs(prospects).items()
    }


def survey_caa(names: Iterable[DnsName], dns: Dns) -> CaaLookups:
    """Look up the CAA records that decide about `names`, each place once; give up where no name server answers."""
    names = frozenset(names)
    found: dict[DnsName, CaaLookup] = {}
    silent = 0
    while asking := sorted(to_ask(names, found)):
        for place in asking:
            found[place] = dns.caa(place)
            silent = silent + 1 if found[place].failure is LookupFailure.TIMEOUT else 0
            if silent == _PATIENCE:
                log.warning("dns: %d names in a row without an answer: the others are not asked for", silent)
                return CaaLookups(by_name=found)
    return CaaLookups(by_name=found, validating=dns.validates() if found else None)


def survey_aliases(names: Iterable[DnsName], dns: Dns) -> Mapping[DnsName, AliasLookup]:
    """Look up where `names` point; where no name server answers, the others are taken to be silent as well."""
    found: dict[DnsName, AliasLookup] = {}
    silent = 0
    for name in sorted(names):
        if silent == _PATIENCE:
            log.warning("dns: %d names in a row without an answer: %s is not asked for", silent, name)
            found[name] = AliasLookup(failure=LookupFailure.TIMEOUT)
            continue
        found[name] = dns.aliases(name)
        silent = silent + 1 if found[name].failure is LookupFailure.TIMEOUT else 0
    return found
