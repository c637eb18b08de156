"""The provider of the README's section "Write a provider"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sqlprovider.catalog.check import check_document
from sqlprovider.catalog.document import words
from sqlprovider.catalog.load import load_provider
from sqlprovider.catalog.model import Role, Verb

ROOT = Path(__file__).parent.parent.parent
TRACKER = ROOT / "examples" / "tracker"
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = README.rpartition("### Every word\n")[2].partition("\n## ")[0]


def test_the_example_has_no_problem() -> None:
    assert check_document(TRACKER) == ()


@pytest.mark.parametrize("name", ["provider.yaml", "work.yaml"])
def test_the_readme_prints_the_example_as_it_is(name: str) -> None:
    assert (
        f"```yaml\n# examples/tracker/{name}\n{(TRACKER / name).read_text(encoding='utf-8')}```\n" in README
    )


def test_the_readme_explains_every_word_of_the_format() -> None:
    code = " ".join(re.findall(r"`([^`\n]+)`", REFERENCE))
    assert [word for word in sorted(words()) if not re.search(rf"\b{word}\b", code)] == []


def test_the_example_is_a_table_with_three_verbs() -> None:
    tickets = (
        load_provider("tracker", {}, directories=(TRACKER.parent,)).services["work"].resources["tickets"]
    )
    assert tickets.verbs == (Verb.SELECT, Verb.INSERT, Verb.DELETE)
    shown = [column.name for column in tickets.columns if not column.hidden]
    assert shown == ["id", "title", "state", "labels", "created_at"]
    options = [column.name for column in tickets.columns if column.role is Role.OPTION]
    assert options == ["page_token", "page_size"]
