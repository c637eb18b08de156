"""A session without connections, and files for it to read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlprovider.config import load_config
from sqlprovider.session import Session, provider_names
from sqlprovider.values import Row


@contextmanager
def opened() -> Iterator[Session]:
    """A session on nothing but SQLite."""
    config = load_config({}, environ={}, providers=provider_names())
    with closing(Session(config, environ={})) as session:
        yield session


def selected(sql: str, session: Session | None = None) -> list[Row]:
    """The rows of a script's last result, in a session of its own or in a given one."""
    if session is None:
        with opened() as session:
            return selected(sql, session)
    rows: list[Row] = []
    for result in session.run(sql):
        rows = list(result.rows)
    return rows


def typed(sql: str) -> list[str]:
    """`name:TYPE` of each column of one SELECT."""
    with opened() as session:
        (result,) = session.run(sql)
        assert result.columns is not None
        return [f"{column.name}:{column.type or ''}" for column in result.columns]


def written(folder: Path, text: str | bytes, name: str = "f.csv") -> str:
    """A file with that text; its name as it stands in single quotes."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)
