"""Defaults and file become one, and each value remembers where it is written."""

from reconciler.desired.merge import Merged, merged
from reconciler.desired.yamlfile import parse
from reconciler.errors import Location


def merge(*layers: str) -> Merged:
    documents = [parse(text.encode(), f"{index}.yaml") for index, text in enumerate(layers)]
    return merged(documents[:-1], documents[-1])


def test_maps_merge_by_key_and_the_nearest_layer_wins() -> None:
    result = merge("m: {a: 1, b: 1, c: 1}", "m: {b: 2, c: 2}", "m: {c: 3}")
    assert result.data == {"m": {"a": 1, "b": 2, "c": 3}}


def test_lists_replace() -> None:
    assert merge("l: [1, 2, 3]", "l: [4]").data == {"l": [4]}


def test_null_takes_a_default_back_and_is_no_value_itself() -> None:
    assert merge("a: 1\nm: {b: 1, c: 1}\nl: [1]", "a: null\nm: {b: null}\nl: null").data == {"m": {"c": 1}}


def test_what_was_taken_back_is_written_nowhere() -> None:
    result = merge("a: 1\nm: {b: 1}\n", "x: 1\na: null\nm: null\n")
    assert result.sources == {"x": Location("1.yaml", 1, 1)}


def test_a_map_that_was_taken_back_starts_anew() -> None:
    assert merge("m: {a: 1}", "m: null", "m: {b: 2}").data == {"m": {"b": 2}}


def test_each_value_remembers_the_file_and_line_that_won() -> None:
    result = merge("a: 1\nm:\n  b: 1\n  c: 1\n", "m:\n  c: 2\n", "x: 1\n")
    assert result.sources == {
        "a": Location("0.yaml", 1, 1),
        "m": Location("1.yaml", 1, 1),
        "m.b": Location("0.yaml", 3, 3),
        "m.c": Location("1.yaml", 2, 3),
        "x": Location("2.yaml", 1, 1),
    }


def test_the_places_of_a_replaced_list_are_forgotten() -> None:
    result = merge("l: [{a: 1}, {a: 2}]", "l: [{a: 3}]")
    assert sorted(result.sources) == ["l", "l.0", "l.0.a"]
    assert result.location("l.1") == Location("1.yaml", 1, 4)


def test_a_field_that_nobody_names_is_at_the_start_of_the_file() -> None:
    assert merge("a: 1", "# comment\nb: 2").location("c.d") == Location("1.yaml", 2, 1)
