from __future__ import annotations

from typing import Any

import pytest

from sqlprovider.catalog.model import Method, Pages, Parameter, Place, Wire
from sqlprovider.errors import DataError
from sqlprovider.execute.paginate import Paginator, paginator
from sqlprovider.execute.response import Page
from sqlprovider.plan.model import Operation
from tests.execute.build import TOKENS, list_method, make_method, make_operation, parameters

NUMBERS = Pages("number", parameter="PageNumber", size="PageSize", size_max=100, total=("TotalCount",))
HEADER = Pages("header", parameter="page", token=("opc-next-page",), size="limit", size_max=50)
CAP = Pages("cap", size="limit", size_max=3)


def operation_of(pages: Pages, *, page_size: int | None = None, **arguments: Any) -> Operation:
    takes = parameters(Place.QUERY, *(name for name in (pages.parameter, pages.size) if name))
    return make_operation(make_method(takes=takes, pages=pages), page_size=page_size, **arguments)


def page(
    operation: Operation, rows: int, *, headers: dict[str, str] | None = None, first: int = 0, **answer: Any
) -> Page:
    items: list[Any] = [{"n": first + n} for n in range(rows)]
    return Page(operation, items, None, {"runs": items, **answer}, 200, None, headers or {}, 0.0)


def begin(pages: Pages, **options: Any) -> tuple[Paginator, Operation]:
    operation = operation_of(pages, **options)
    return paginator(operation), operation


def test_tokens_are_followed_to_their_end() -> None:
    state, operation = begin(TOKENS)
    assert state.parameters() == {"max_results": 100}
    assert state.advance(page(operation, 100, next_page_token="a"))
    assert state.parameters() == {"max_results": 100, "page_token": "a"}
    assert not state.advance(page(operation, 100))


def test_a_short_page_with_a_token_goes_on() -> None:
    state, operation = begin(TOKENS)
    assert state.advance(page(operation, 0, next_page_token="a"))


@pytest.mark.parametrize("token", [None, ""])
def test_an_absent_or_empty_token_is_the_end(token: object) -> None:
    state, operation = begin(TOKENS)
    assert not state.advance(page(operation, 100, next_page_token=token))


@pytest.mark.parametrize("token", [0, 7, True, False, ["a"], {"a": 1}])
def test_a_token_of_another_type_is_an_error(token: object) -> None:
    state, operation = begin(TOKENS)
    with pytest.raises(DataError, match="not text") as caught:
        state.advance(page(operation, 1, next_page_token=token))
    assert (caught.value.reason, caught.value.pointer) == ("wrong_token", "/next_page_token")


@pytest.mark.parametrize("tokens", [["a", "a"], ["a", "b", "a"], ["a", "b", "c", "b"]])
def test_a_token_that_comes_again_is_an_error(tokens: list[str]) -> None:
    state, operation = begin(TOKENS)
    for token in tokens[:-1]:
        assert state.advance(page(operation, 1, next_page_token=token))
    with pytest.raises(DataError, match="no end"):
        state.advance(page(operation, 1, next_page_token=tokens[-1]))


def test_an_explicit_token_starts_there_and_goes_on() -> None:
    state, operation = begin(TOKENS, page_token="m")
    assert "page_token" not in state.parameters()
    assert state.advance(page(operation, 1, next_page_token="n"))
    assert state.parameters()["page_token"] == "n"


def test_an_explicit_token_that_comes_back_is_an_error() -> None:
    state, operation = begin(TOKENS, page_token="m")
    with pytest.raises(DataError, match="no end"):
        state.advance(page(operation, 1, next_page_token="m"))


@pytest.mark.parametrize(
    ("options", "size"),
    [
        pytest.param({}, {"max_results": 100}, id="the largest"),
        pytest.param({"page_size": 7}, {"max_results": 7}, id="what the statement needs"),
        pytest.param({"page_size": 700}, {"max_results": 100}, id="not beyond the largest"),
        pytest.param({"max_results": 5}, {}, id="the statement's own"),
    ],
)
def test_the_page_size(options: dict[str, Any], size: dict[str, Any]) -> None:
    assert begin(TOKENS, **options)[0].parameters() == size


def test_no_page_size_is_sent_where_the_largest_is_not_known() -> None:
    assert begin(Pages("token", parameter="t", token=("t",), size="n"))[0].parameters() == {}


def test_a_page_size_that_travels_as_text_is_text() -> None:
    takes = {"n": Parameter("n", "n", Place.BODY, wire=Wire.INT64)}
    method = make_method(takes=takes, pages=Pages("token", parameter="t", token=("t",), size="n", size_max=9))
    assert paginator(make_operation(method)).parameters() == {"n": "9"}


def test_a_header_says_how_the_list_goes_on() -> None:
    state, operation = begin(HEADER)
    assert state.advance(page(operation, 1, headers={"opc-next-page": "b"}))
    assert state.parameters() == {"limit": 50, "page": "b"}
    assert not state.advance(page(operation, 50))


def test_a_header_that_comes_again_is_an_error() -> None:
    state, operation = begin(HEADER)
    assert state.advance(page(operation, 1, headers={"opc-next-page": "b"}))
    with pytest.raises(DataError, match="no end"):
        state.advance(page(operation, 1, headers={"opc-next-page": "b"}))


def test_numbered_pages_end_where_the_total_comes_out() -> None:
    state, operation = begin(NUMBERS)
    assert state.parameters() == {"PageSize": 100, "PageNumber": 1}
    assert state.advance(page(operation, 100, TotalCount=150))
    assert state.parameters()["PageNumber"] == 2
    assert not state.advance(page(operation, 50, first=100, TotalCount=150))


def test_numbers_may_begin_at_zero() -> None:
    state, _ = begin(Pages("number", parameter="page", first=0, total=("n",)))
    assert state.parameters() == {"page": 0}


def test_a_server_that_gives_fewer_a_page_is_read_to_its_end() -> None:
    state, operation = begin(NUMBERS)
    assert state.advance(page(operation, 50, TotalCount=120))
    assert state.advance(page(operation, 50, first=50, TotalCount=120))
    assert not state.advance(page(operation, 20, first=100, TotalCount=120))


def test_an_empty_list_has_a_total_of_zero() -> None:
    state, operation = begin(NUMBERS)
    assert not state.advance(page(operation, 0, TotalCount=0))


def test_a_total_may_be_text() -> None:
    state, operation = begin(NUMBERS)
    assert not state.advance(page(operation, 2, TotalCount="2"))


def test_a_total_that_grows_is_followed() -> None:
    state, operation = begin(NUMBERS)
    assert state.advance(page(operation, 2, TotalCount=4))
    assert state.advance(page(operation, 2, first=2, TotalCount=5))


@pytest.mark.parametrize(
    ("pages", "text"),
    [
        pytest.param([(2, 3), (0, 3)], "there are 3 rows and gave 2", id="too few"),
        pytest.param([(5, 3)], "there are 3 rows and gave 5", id="too many"),
        pytest.param([(2, 6), (2, 5)], "fell from 6 to 5", id="falls"),
        pytest.param([(2, None)], "null, not a count", id="absent"),
        pytest.param([(2, "many")], "text, not a count", id="text"),
        pytest.param([(2, -1)], "a number, not a count", id="negative"),
        pytest.param([(2, True)], "a truth value, not a count", id="truth value"),
        pytest.param([(2, 2.5)], "a number, not a count", id="fraction"),
    ],
)
def test_a_total_that_does_not_come_out_is_an_error(pages: list[tuple[int, object]], text: str) -> None:
    state, operation = begin(NUMBERS)
    first = 0
    with pytest.raises(DataError, match=text) as caught:
        for rows, total in pages:
            state.advance(page(operation, rows, first=first, TotalCount=total))
            first += rows
    assert caught.value.pointer == "/TotalCount"


def test_a_server_that_does_not_count_pages_is_an_error() -> None:
    state, operation = begin(NUMBERS)
    assert state.advance(page(operation, 2, TotalCount=6))
    with pytest.raises(DataError, match="page 2 is the same"):
        state.advance(page(operation, 2, TotalCount=6))


def test_an_explicit_number_starts_there_and_ends_at_an_empty_page() -> None:
    state, operation = begin(NUMBERS, PageNumber=3)
    assert state.parameters()["PageNumber"] == 3
    assert state.advance(page(operation, 5, TotalCount=7))
    assert not state.advance(page(operation, 0, TotalCount=7))


def test_without_a_total_an_empty_page_is_the_end() -> None:
    state, operation = begin(Pages("number", parameter="page"))
    assert state.advance(page(operation, 1))
    assert not state.advance(page(operation, 0))


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_an_answer_below_its_cap_is_whole(rows: int) -> None:
    state, operation = begin(CAP)
    assert not state.advance(page(operation, rows))


@pytest.mark.parametrize("rows", [3, 4])
def test_an_answer_as_long_as_its_cap_is_an_error(rows: int) -> None:
    state, operation = begin(CAP)
    with pytest.raises(DataError, match="there may be more"):
        state.advance(page(operation, rows))


def test_a_cap_is_asked_for_whole_even_where_few_rows_are_needed() -> None:
    assert begin(CAP, page_size=1)[0].parameters() == {"limit": 3}


def test_a_cap_of_the_statement_is_the_cap() -> None:
    state, operation = begin(CAP, limit=2)
    assert state.parameters() == {}
    with pytest.raises(DataError, match="there may be more"):
        state.advance(page(operation, 2))


@pytest.mark.parametrize("method", [make_method(), make_method(pages=Pages("one"))])
def test_one_page_is_the_whole_list(method: Method) -> None:
    operation = make_operation(method)
    state = paginator(operation)
    assert state.parameters() == {}
    assert not state.advance(page(operation, 5, next_page_token="x"))


def test_offset_tokens_are_followed_as_any_other() -> None:
    operation = make_operation(
        list_method(pages=Pages("token", "page_token", ("next_page_token",), offset=True))
    )
    assert paginator(operation).advance(page(operation, 1, next_page_token="2"))
