"""Names for chains of collections: `projects.locations.tensorboards.experiments.runs` is `runs`.

The table chain → name is a committed file. A name once given is kept and never given again, so a later
version of an API renames nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping

Chain = tuple[str, ...]

_FRONT = ("projects", "locations")
_ROOT = "root"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_LETTER = re.compile(r"[^a-z0-9]+")


def snake_case(name: str) -> str:
    """A wire name in snake_case.

    >>> snake_case("timeSeries"), snake_case("a2aTasks"), snake_case("getIamPolicy")
    ('time_series', 'a2a_tasks', 'get_iam_policy')
    """
    return _NO_LETTER.sub("_", _HUMP.sub("_", name).lower()).strip("_")


def chain_of(collections: Iterable[str], version: str) -> Chain:
    """The chain by which a resource is known in every version: a first collection `v1` of v1 is `root`.

    >>> chain_of(["v1beta1"], "v1beta1")
    ('root',)
    """
    first, *rest = collections
    return (_ROOT if first == version else first, *rest)


def name_chains(chains: Iterable[Chain], given: Mapping[Chain, str]) -> dict[Chain, str]:
    """`given` and, after it, the names of the chains that have none yet.

    A chain that does not start with `projects` is `global_` and its whole path. Of any other,
    `projects.locations` is dropped from the front, and what is left has a depth. The shallowest are named
    first: each takes its last collection and, where that is taken or wanted by another of its depth, one
    more parent in front.

    >>> deep = ("projects", "locations", "tensorboards", "operations")
    >>> name_chains([deep, ("projects", "locations", "operations"), ("media",)], {})[deep]
    'tensorboards_operations'
    """
    named = dict(given)
    new = sorted(set(chains) - set(given))
    for chain in new:
        if chain[0] != _FRONT[0]:
            named[chain] = "_".join(["global", *map(snake_case, chain)])
    local = [chain for chain in new if chain not in named]
    for depth in sorted({len(left_of(chain)) for chain in local}):
        taken = frozenset(named.values())
        named |= _one_depth([chain for chain in local if len(left_of(chain)) == depth], taken)
    if len(set(named.values())) < len(named):
        twice = [name for name, times in Counter(named.values()).items() if times > 1]
        raise ValueError(f"two chains of collections would be called {', '.join(sorted(twice))}")
    return named


def left_of(chain: Chain) -> Chain:
    """What is left of a chain without `projects.locations` in front; that alone keeps its last collection.

    >>> left_of(("projects", "locations", "models", "evaluations")), left_of(("projects", "locations"))
    (('models', 'evaluations'), ('locations',))
    """
    if chain[:2] != _FRONT:
        return chain
    return chain[2:] or chain[1:]


def read_names(text: str) -> dict[Chain, str]:
    """The table of a names file. Raises ValueError where it is none."""
    table = json.loads(text)
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise ValueError("a names file is a JSON object: chain of collections → name")
    return {tuple(chain.split(".")): name for chain, name in table.items()}


def write_names(named: Mapping[Chain, str]) -> str:
    """The text of a names file: a chain a line, in the order in which the names were given."""
    lines = (f"{json.dumps('.'.join(chain))}: {json.dumps(name)}" for chain, name in named.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _one_depth(chains: list[Chain], taken: frozenset[str]) -> dict[Chain, str]:
    """The names of the chains of one depth, as short as they can be told apart."""
    lengths = dict.fromkeys(chains, 1)
    while True:
        wanted = {chain: _last(chain, length) for chain, length in lengths.items()}
        times = Counter(wanted.values())
        clashing = [chain for chain, name in wanted.items() if name in taken or times[name] > 1]
        longer = [chain for chain in clashing if lengths[chain] < len(chain)]
        if not longer:
            return wanted
        for chain in longer:
            lengths[chain] += 1


def _last(chain: Chain, length: int) -> str:
    """The last collections of a chain; where those left are not enough, `locations` and `projects` too."""
    return "_".join(map(snake_case, chain[-length:]))
