"""SQL over ML platforms: every resource of a platform's API is a SQLite virtual table.

The public names, resolved at first use so that importing the package loads nothing else.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # loading `typing` takes longer than all that --version does
if TYPE_CHECKING:
    from sqlprovider.errors import (
        AmbiguousMethodError,
        AuthError,
        BackendError,
        CatalogError,
        ConfigError,
        CredentialsError,
        DatabaseError,
        DataError,
        Error,
        IntegrityError,
        InterfaceError,
        InternalError,
        ManifestError,
        MissingParameterError,
        NotSupportedError,
        OperationalError,
        Problem,
        ProgrammingError,
        RateLimitedError,
        RequestLimitError,
        SQLSyntaxError,
        StatementInterrupted,
        TransportError,
        UnknownColumnError,
        UnknownNameError,
        WaitTimeoutError,
        Warning,
    )
    from sqlprovider.surfaces.dbapi import (
        Connection,
        Cursor,
        apilevel,
        connect,
        paramstyle,
        register,
        threadsafety,
    )
    from sqlprovider.surfaces.typeobjects import (
        BINARY,
        DATETIME,
        NUMBER,
        ROWID,
        STRING,
        Binary,
        Date,
        DateFromTicks,
        Time,
        TimeFromTicks,
        Timestamp,
        TimestampFromTicks,
    )

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "AmbiguousMethodError",
    "AuthError",
    "BackendError",
    "Binary",
    "CatalogError",
    "ConfigError",
    "Connection",
    "CredentialsError",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "ManifestError",
    "MissingParameterError",
    "NotSupportedError",
    "OperationalError",
    "Problem",
    "ProgrammingError",
    "RateLimitedError",
    "RequestLimitError",
    "SQLSyntaxError",
    "StatementInterrupted",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "TransportError",
    "UnknownColumnError",
    "UnknownNameError",
    "WaitTimeoutError",
    "Warning",
    "__version__",
    "apilevel",
    "connect",
    "paramstyle",
    "register",
    "threadsafety",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sqlprovider import errors  # noqa: PLC0415  loaded at first use
    from sqlprovider.surfaces import dbapi, typeobjects  # noqa: PLC0415  loaded at first use

    value: object = next(
        getattr(module, name) for module in (errors, dbapi, typeobjects) if hasattr(module, name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
