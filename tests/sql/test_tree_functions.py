"""Every function of SQLite may stand in a write: sqlglot's own grammar of some of them is not asked."""

from __future__ import annotations

import apsw
import pytest

from sqlprovider.sql.parse import parse
from sqlprovider.sql.statement import Delete, Insert, Update
from tests.sql.names import FakeNames

FUNCTIONS = sorted(
    {name for (name, *_) in apsw.Connection(":memory:").execute("SELECT name FROM pragma_function_list")}
)
KEYWORDS = ("like", "glob", "match", "regexp", "current_date", "current_time", "current_timestamp")
PLAIN = [name for name in FUNCTIONS if name.replace("_", "").isalnum() and name not in KEYWORDS]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_a_write_may_call_any_function_with_any_number_of_arguments(count: int) -> None:
    arguments = ", ".join(["'a'", "2", "x.name", "NULL"][:count]).replace("x.name", "'n'")
    for name in PLAIN:
        (insert,) = parse(
            f"INSERT INTO mlflow.tracking.runs (run_name) SELECT {name}({arguments})", FakeNames()
        )
        (update,) = parse(
            f"UPDATE mlflow.tracking.runs SET run_name = {name}({arguments}) WHERE run_id = 'a'", FakeNames()
        )
        (delete,) = parse(f"DELETE FROM mlflow.tracking.runs WHERE run_id = {name}({arguments})", FakeNames())
        assert (type(insert), type(update), type(delete)) == (Insert, Update, Delete)
