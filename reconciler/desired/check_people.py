"""SUBJ-*, contacts and addresses: what CPS and a CA take of people and places."""

import re
from collections.abc import Iterator

from reconciler.desired.examined import Examined
from reconciler.desired.verdicts import quoted
from reconciler.errors import Problem

# X.520 upper bounds, in characters, by the subject's fields.
_LENGTHS = {"organization": 64, "organizationalUnit": 64, "locality": 128, "state": 128}
# BR 7.1.4.2: no metadata such as ".", "-" and " " to say that a field is absent.
_PLACEHOLDER = re.compile(r"[\s.\-_*?/]*\Z|n\.?/?a\.?\Z|none\Z|null\Z|unknown\Z|not applicable\Z|tbd\Z", re.IGNORECASE)
_PHONE = re.compile(r"(?=.*[0-9])[0-9 +().-]+\Z")
_CONTACT = ("firstName", "lastName", "email", "phone")
_WHOLE = {  # maps that CPS takes complete or not at all
    "adminContact": _CONTACT,
    "techContact": _CONTACT,
    "org": ("name", "addressLineOne", "city", "region", "postalCode", "country", "phone"),
}
# ISO 3166-1 alpha-2, with XX as BR 7.1.2.7.4 allows for places that have no code.
COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
    CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
    KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
    SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
    UZ VA VC VE VG VI VN VU WF WS XX YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - one code after the other reads better than a list of quotes
)


def subject_problems(examined: Examined) -> Iterator[Problem]:
    if not examined.public:
        return
    subject = examined.akamai.section("subject")
    for field in subject.data:
        value = subject.required(field)
        pointer = f"akamai.subject.{field}"
        if field == "organizationalUnit":
            text = "Public certificates may not hold an organizational unit."
            yield examined.error(pointer, text, "Leave it out.", "SUBJ-01")
        elif _PLACEHOLDER.match(value):
            text = f"{quoted(value)} stands for no value, and CAs may not issue it."
            yield examined.error(pointer, text, "Leave the field out, or write the real value.", "SUBJ-03")
        elif len(value) > _LENGTHS.get(field, len(value)):
            text = f"{quoted(value)} has {len(value)} characters; at most {_LENGTHS[field]} fit."
            yield examined.error(pointer, text, "Write it as the organization is validated in SCM.", "SUBJ-03")
        elif field == "country":
            yield from _country_problems(examined, pointer, value, "SUBJ-03")


def people_problems(examined: Examined) -> Iterator[Problem]:
    """Find contacts and addresses that CPS would refuse."""
    for section, needed in _WHOLE.items():
        fields = examined.akamai.section(section)
        if not fields.data:
            continue
        for field in needed:
            if field not in fields:
                text = f'"{section}" has no "{field}"; CPS takes it complete or not at all.'
                yield examined.error(f"akamai.{section}.{field}", text, f"Add {field}, here or in defaults.")
        yield from _phone_problems(examined, f"akamai.{section}.phone", fields.text("phone"))
    if country := examined.akamai.section("org").text("country"):
        yield from _country_problems(examined, "akamai.org.country", country, "")
    email = examined.akamai.section("techContact").text("email")
    if email is not None and not email.lower().endswith("@akamai.com"):
        text = f"{quoted(email)} is no address at akamai.com; CPS refuses other technical contacts."
        yield examined.warning("akamai.techContact.email", text, "Name your contact at Akamai.")


def _phone_problems(examined: Examined, pointer: str, phone: str | None) -> Iterator[Problem]:
    if phone is not None and not _PHONE.match(phone):
        text = f"{quoted(phone)} is no phone number; CPS refuses one that is blank or has letters."
        yield examined.error(pointer, text, 'Write digits, spaces and + ( ) - . only, as "+44 161 000 0000".')


def _country_problems(examined: Examined, pointer: str, value: str, rule: str) -> Iterator[Problem]:
    if value not in COUNTRIES:
        remedy = 'Write "GB".' if value == "UK" else "Write the code of ISO 3166-1, two capital letters."
        yield examined.error(pointer, f"{quoted(value)} is no country code.", remedy, rule)
