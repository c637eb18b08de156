"""`sqlprovider providers compile DOCUMENT… --names FILE -o FOLDER`: discovery documents into facts files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TextIO

from sqlprovider.errors import InterfaceError
from sqlprovider.surfaces.failures import OK


class CompileFacts(Protocol):
    """The session's `compile_facts`: writes the files and says which."""

    def __call__(self, documents: Sequence[str | Path], *, names: Path, folder: Path) -> tuple[Path, ...]: ...


def run_compile(
    documents: Sequence[str],
    *,
    names: str | None,
    folder: str | None,
    load: Callable[[], CompileFacts],
    stdout: TextIO,
    stderr: TextIO,
) -> int:
    """Compiles the documents of one service, its versions together; prints each file that was written.

    Raises InterfaceError where something is not given, CatalogError where a document is none.
    """
    if not documents or names is None or folder is None:
        raise InterfaceError(
            "compile takes discovery documents, --names FILE and -o FOLDER",
            reason="usage",
            hint="sqlprovider providers compile ml.v1 --names schemas/google/ml.names.json -o schemas/google",
        )
    if not Path(folder).is_dir():
        raise InterfaceError(f"no folder {folder!r}", reason="usage")
    written = load()(documents, names=Path(names), folder=Path(folder))
    for file in written:
        stdout.write(f"{file}\n")
    stderr.write(f"{len(written)} files written\n")
    return OK
