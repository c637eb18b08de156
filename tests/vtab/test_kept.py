"""Rows that a loop finds by value while others read the same scan on."""

from __future__ import annotations

from sqlprovider.config import Settings
from sqlprovider.execute.reader import ScanReader
from sqlprovider.vtab.kept import KeptRows
from tests.execute.build import TOKENS, Script, make_executor, ok
from tests.plan.build import item, key, method, resource, scan, takes


def test_a_page_that_comes_while_found_rows_are_looked_at_is_given_once() -> None:
    listed = method("list", takes("page_token"), takes("max_results"), pages=TOKENS)
    planned = scan(resource([key("id"), item("tag")], listed), used=frozenset({0, 1}))
    pages = [[("a", "x"), ("b", "y")], [("c", "x")], [("d", "x")]]
    answers = [
        ok({"items": [{"id": id_, "tag": tag} for id_, tag in page], "next_page_token": str(number)})
        for number, page in enumerate(pages[:-1], 1)
    ]
    last = ok({"items": [{"id": id_, "tag": tag} for id_, tag in pages[-1]]})
    executor = make_executor(Script(*answers, last))
    calls = executor.begin(Settings())
    feeds = calls.feeds()
    kept = KeptRows(ScanReader(planned, (), calls, feeds), feeds)
    assert len(next(kept.pages()).rows) == 2  # one page is there
    finding = kept.pages((1, "x"))
    found = [row[0] for row in next(finding).rows]
    next(other := kept.pages())
    assert [row[0] for row in next(other).rows] == ["c"]  # another reads the second page meanwhile
    found += [row[0] for page in finding for row in page.rows]
    assert found == ["a", "c", "d"]
    feeds.close()
    executor.close()
