"""Statements on resources that are more than a SELECT: writes, EXEC, EXPLAIN. Loaded with the first one."""

from __future__ import annotations

from sqlprovider.catalog.catalog import Catalog
from sqlprovider.plan.model import Operation
from sqlprovider.sql.statement import Delete, Exec, Explain, Insert, Query, TableRef, Update
from sqlprovider.sql.tables import tables_of
from sqlprovider.vtab.calls import exec_result, plan_exec, run_read
from sqlprovider.vtab.engine import Engine, Selected
from sqlprovider.vtab.explain import explain
from sqlprovider.vtab.run import Run
from sqlprovider.vtab.staged import LastWrite, send_staged, stage
from sqlprovider.vtab.staging import Staging
from sqlprovider.vtab.statements import Statements
from sqlprovider.vtab.writer import Planned, Writer, Written, notices


class Commands:
    """The commands of one session: first planned, then sent, or staged where a transaction is open."""

    def __init__(self, catalog: Catalog, engine: Engine, staging: Staging) -> None:
        self._catalog = catalog
        self._engine = engine
        self._staging = staging
        self._statements = Statements(catalog, engine)

    def tables(self, statement: Query | Insert | Update | Delete | Exec) -> tuple[TableRef, ...]:
        """The tables that a statement names, its target among them."""
        match statement:
            case Query():
                return tables_of(statement)
            case Exec():
                return ()
            case _:
                return (*tables_of(statement), statement.target)

    def plan(self, statement: Insert | Update | Delete, run: Run) -> Planned:
        """The write with its rows. Raises whatever is refused; what is read for it is read here."""
        return self._statements.plan(statement, run)

    def plan_exec(self, statement: Exec, run: Run) -> Planned | Selected:
        """The call, where it writes; else what it answers."""
        planned = plan_exec(statement, self._catalog, self._engine, run)
        return run_read(planned, run) if isinstance(planned, Operation) else planned

    def send(self, planned: Planned, run: Run) -> Written:
        """Sends a write, or stages it where a transaction is open."""
        if self._engine.in_transaction:
            return stage(planned, self._staging, run.settings)
        return Writer(self._engine, run).write(planned)

    def send_staged(self, run: Run) -> LastWrite:
        """Sends what is staged, in order. Raises the first failure, with what became of every row of all."""
        return send_staged(self._staging, self._engine, run)

    def answer(self, written: Written) -> Selected:
        """What the call of a method that writes has answered."""
        (row,) = written.rows
        return exec_result(row.operations[0], row.answer)

    def notices(self, written: Written) -> list[str]:
        """What its user is told of a write."""
        return list(notices(written))

    def explain(self, statement: Explain, run: Run) -> Selected:
        """The steps of a statement; SQLite's own EXPLAIN where it reaches no resource."""
        return explain(statement, self._catalog, self._engine, self._statements, run)
