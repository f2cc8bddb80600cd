"""Ids: the same seed gives the same world."""

import msgspec

from reconciler.sandbox.ids import Ids, IdState


def drawn(ids: Ids) -> list[object]:
    return [
        ids.next("order", first=1001),
        ids.next("order", first=1001),
        ids.text("password", 20),
        ids.hex("serial", 32),
        ids.bits("serial", 128),
    ]


def test_counters_start_at_first_and_count_by_kind() -> None:
    ids = Ids(IdState(seed=1))
    assert [ids.next("order", first=1001), ids.next("order", first=1001), ids.next("change", first=7)] == [
        1001,
        1002,
        7,
    ]


def test_one_seed_gives_one_world_and_another_seed_another() -> None:
    assert drawn(Ids(IdState(seed=5))) == drawn(Ids(IdState(seed=5)))
    assert drawn(Ids(IdState(seed=5)))[2:] != drawn(Ids(IdState(seed=6)))[2:]


def test_a_restart_goes_on_where_the_first_run_stopped() -> None:
    whole = Ids(IdState(seed=5))
    expected = [*drawn(whole), *drawn(whole)]
    state = IdState(seed=5)
    first_half = drawn(Ids(state))
    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=IdState)
    assert [*first_half, *drawn(Ids(restored))] == expected


def test_serials_are_positive_and_of_full_length() -> None:
    ids = Ids(IdState(seed=5))
    assert {ids.bits("serial", 128).bit_length() for _ in range(200)} == {127}


def test_drawn_values_do_not_repeat() -> None:
    ids = Ids(IdState(seed=5))
    assert len({ids.bits("serial", 128) for _ in range(1000)}) == 1000
