"""Order tags: written once, readable for ever, whatever people put around them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.certificate import ChangeId, EnrollmentId, KeyType
from reconciler.model.entry import CauseId
from reconciler.planning.tags import OrderTag, installation_of, key_of, order_tag
from tests.support.certs import desired
from tests.support.looks import order_for

TAG = OrderTag(
    installation="0a1b2c3d",
    enrollment_id=EnrollmentId(10002),
    change_id=ChangeId(20003),
    key_type=KeyType.ECDSA,
    key="00ff" * 8,
    cause=CauseId("ab12"),
)


def test_a_tag_is_written_in_the_published_form() -> None:
    assert str(TAG) == f"certrecon/1 i=0a1b2c3d e=10002 c=20003 k=ECDSA key={'00ff' * 8} cause=ab12"


@given(before=st.text(max_size=80), after=st.text(max_size=80))
def test_a_tag_is_found_wherever_a_person_writes_beside_it(before: str, after: str) -> None:
    assert order_tag(f"{before} {TAG} {after}") == TAG


@pytest.mark.parametrize("comments", ["", "ordered by hand", "certrecon/1 i=x e=1", "certrecon/2 i=x e=1 c=2 k=RSA"])
def test_what_is_no_whole_tag_is_none(comments: str) -> None:
    assert order_tag(comments) is None


def test_a_key_is_cut_to_128_bits_in_lower_case() -> None:
    assert key_of("ABCDEF0123456789" * 4) == "abcdef0123456789" * 2


def test_the_installation_is_what_most_tags_name() -> None:
    other = str(TAG).replace("0a1b2c3d", "ffffffff")
    comments = (str(TAG), other, str(TAG), "by hand")
    orders = [order_for(desired(), ssl_id=place, comments=text) for place, text in enumerate(comments)]
    assert installation_of(orders) == "0a1b2c3d"
    assert installation_of([]) is None
