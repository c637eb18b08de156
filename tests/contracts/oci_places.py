"""Where each operation of Oracle's AI Data Platform belongs: its resource, its method's name and its verb.

The rule reads nothing but the operation itself, so that no name changes when others come:

- A path is a chain of collections, each with the id of one of its items or without; `actions/x` is not part
  of it. `aiDataPlatforms` and `workspaces` in front say where one is, as does `api`: they are left out, save
  where nothing else or only `permissions` follows.
- The resource is called by its last collection, in snake_case, behind the singular of each collection it is
  under (`agent_session_traces`); a word that both begin with is said once (`git_branches`).
- GET of a collection is `list`, of an item or of what is only one `get`: SELECT. POST to a collection is
  `create`: INSERT. PUT of an item is `update`, PATCH `patch`: UPDATE. DELETE of an item is `delete`: DELETE.
- All else is EXEC: `actions/x` by its name, what takes or gives bytes, what is no row's own verb.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.contracts.oci_sdk import Operation

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_FRONT = ("aiDataPlatforms", "workspaces", "api")
_COMMON = ("permissions",)
"""Collections that a workspace has too, beside its resources."""
_EXACT: Mapping[str, tuple[str, str, str]] = {
    # Of the whole platform, which is no resource of this service.
    "search_audit_logs": ("audit_logs", "search", "SELECT"),
    "manage_audit_logs": ("audit_logs", "manage", "EXEC"),
    "fetch_entity_lineage": ("lineage", "fetch", "EXEC"),
    "export_lineage": ("lineage", "export", "EXEC"),
    "catalog_test_connection": ("catalogs", "test_connection", "EXEC"),
    "manage_create_workspace_permission": ("create_workspace_permissions", "manage", "EXEC"),
    # The newest runs of a job, as many as are asked for: no rows of their own.
    "list_recent_job_runs": ("job_runs", "list_recent", "EXEC"),
    # What a service tells the platform, of an operation of a workspace.
    "update_workspace_async_operation_status": ("async_operations", "update_status", "EXEC"),
}
"""Operation → (resource, method, verb), where the rule has no answer."""
_READS = re.compile(r"(get|list|search|fetch_entity|fetch_bundle|query|summarize|preview|validate|head)_.*")


@dataclass(frozen=True, slots=True)
class Link:
    """One collection of a path, with the parameter that is the id of an item of it."""

    collection: str
    id: str | None


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation with its place."""

    operation: Operation
    resource: str
    method: str
    verb: str
    chain: tuple[Link, ...]
    action: str | None

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.operation.method in ("GET", "HEAD") or _READS.fullmatch(self.operation.name) is not None

    @property
    def is_item(self) -> bool:
        """Whether its path is that of an item."""
        return self.action is None and bool(self.chain) and self.chain[-1].id is not None


def place(operation: Operation) -> Placed:
    """The place of an operation."""
    chain, action = chain_of(operation.path)
    if operation.name in _EXACT:
        resource, method, verb = _EXACT[operation.name]
    else:
        resource = resource_name(chain)
        method, verb = (snake(action), "EXEC") if action else _own(operation, chain)
    return Placed(operation, resource, method, verb, chain, action)


def chain_of(path: str) -> tuple[tuple[Link, ...], str | None]:
    """The collections of a path and its action.

    >>> chain_of("/20260430/aiDataPlatforms/{p}/agents/{a}/actions/copy")
    ((Link(collection='aiDataPlatforms', id='p'), Link(collection='agents', id='a')), 'copy')
    """
    segments, action = path.strip("/").split("/")[1:], None
    if "actions" in segments:
        at = segments.index("actions")
        action = segments[at + 1]
        segments = segments[:at] + segments[at + 2 :]
    links: list[Link] = []
    for segment in segments:
        if segment.startswith("{"):
            links[-1] = Link(links[-1].collection, segment.strip("{}"))
        else:
            links.append(Link(segment, None))
    return tuple(links), action


def resource_name(chain: tuple[Link, ...]) -> str:
    """The name of the resource at the end of a chain."""
    last = chain[-1].collection
    before = [link.collection for link in chain[:-1] if link.collection not in _FRONT]
    if not before and last in _COMMON:
        before = [link.collection for link in chain[-2:-1]]
    parts = [singular(snake(collection)) for collection in before]
    if parts and parts[-1].partition("_")[0] == snake(last).partition("_")[0]:
        parts.pop()
    return "_".join([*parts, snake(last)])


def snake(name: str) -> str:
    """`jobRuns` is `job_runs`."""
    return "_".join(word.lower() for word in _WORDS.findall(name))


def singular(name: str) -> str:
    """`git_repositories` is `git_repository`."""
    return re.sub(r"ies$", "y", name) if name.endswith("ies") else name.removesuffix("s")


def _own(operation: Operation, chain: tuple[Link, ...]) -> tuple[str, str]:
    """The name and the verb of a method without an action."""
    is_item = chain[-1].id is not None
    plain = "stream" not in (operation.body, operation.response)
    match operation.method:
        case "GET":
            lists = not is_item and any(field.wire_name == "page" for field in operation.query_fields)
            return ("list" if lists else "get"), ("SELECT" if plain else "EXEC")
        case "POST":
            return "create", ("INSERT" if plain and not is_item else "EXEC")
        case "PUT" | "PATCH":
            name = "update" if operation.method == "PUT" else "patch"
            return name, ("UPDATE" if plain and is_item else "EXEC")
        case "DELETE":
            word = operation.name.partition("_")[0]
            return word, ("DELETE" if is_item and word == "delete" else "EXEC")
        case _:
            return operation.method.lower(), "EXEC"
