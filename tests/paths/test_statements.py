"""A sample of the random statements by every way, and the ones that were once wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths.agree import WAYS, Disagreement, Ran, Ways, too_many
from tests.paths.drawn import lab_statements
from tests.statements import Drawn, statements

pytestmark = pytest.mark.slow
FEW = settings(max_examples=60)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    made = Ways(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


def test_every_way_gives_what_plain_sqlite_gives(ways: Ways) -> None:
    @FEW
    @given(lab_statements(ways.lab_tables()))
    def agree(drawn: Drawn) -> None:
        ways.check(drawn)

    ways.tally.clear()
    agree()
    refused, every = ways.tally["refused"], ways.tally["statements"]
    assert refused < 0.1 * every, dict(ways.tally)
    # Over many statements the ways round save requests, and what they guess is mostly right.
    plain = ways.tally["none: requests"]
    for way in WAYS:
        asked, wanted = ways.tally[f"{way}: requests"], ways.tally[f"{way}: pages"]
        assert asked <= 1.1 * plain, (way, dict(ways.tally))
        assert asked - wanted <= 0.1 * wanted, (way, dict(ways.tally))


def test_statements_of_any_kind_are_right_by_every_way(ways: Ways) -> None:
    @FEW
    @given(st.deferred(lambda: statements(ways.data_tables())))
    def agree(drawn: Drawn) -> None:
        ways.check(drawn)

    agree()


def test_a_wrong_row_would_be_seen(ways: Ways) -> None:
    wrong = Drawn("SELECT id FROM p.s.things WHERE random() = 0 OR random() % 2", {})
    with pytest.raises(Disagreement, match="the rows differ"):
        ways.check(wrong)


def test_too_many_requests_would_be_seen() -> None:
    drawn = Drawn("SELECT * FROM p.s.things", {})
    plain = Ran([], None, pages=3, asked=["/things"] * 3)
    assert too_many(drawn, plain, plain) is None
    assert too_many(drawn, Ran([], None, pages=4, asked=["/things"] * 4), plain) is not None
    assert too_many(drawn, Ran([], None, pages=3, asked=["/things"] * 200), plain) is not None
