"""The enrollment document as a client that is not ours would write it (the shape of Akamai's own examples)."""

from typing import Any


def enrollment_body(common_name: str, *sans: str, **changes: Any) -> dict[str, Any]:
    """Return a body for creating a third-party enrollment; `changes` replace its top-level members."""
    address = {"addressLineOne": "1 Example Street", "addressLineTwo": None, "city": "Manchester", "country": "GB"}
    person = {"firstName": "Ada", "lastName": "Example", "phone": "+44 161 4960000"}
    body = {
        "ra": "third-party",
        "validationType": "third-party",
        "certificateType": "third-party",
        "certificateChainType": "default",
        "signatureAlgorithm": "SHA-256",
        "changeManagement": True,
        "enableMultiStackedCertificates": True,
        "csr": {
            "cn": common_name,
            "sans": [common_name, *sans],
            "c": "GB",
            "st": "Greater Manchester",
            "l": "Manchester",
            "o": "Example Ltd",
            "ou": None,
        },
        "networkConfiguration": {
            "geography": "core",
            "secureNetwork": "enhanced-tls",
            "sniOnly": True,
            "quicEnabled": False,
            "mustHaveCiphers": "ak-akamai-2020q1",
            "preferredCiphers": "ak-akamai-2020q1",
            "disallowedTlsVersions": ["TLSv1", "TLSv1_1"],
            "ocspStapling": "on",
            "dnsNameSettings": {"cloneDnsNames": True, "dnsNames": None},
        },
        "org": {"name": "Example Ltd", "region": "GB-MAN", "postalCode": "M1 1AA", "phone": person["phone"]} | address,
        "adminContact": {"email": "ada@example.com"} | person,
        "techContact": {"email": "tech@akamai.com"} | person,
        "thirdParty": {"excludeSans": False},
    }
    return body | changes
