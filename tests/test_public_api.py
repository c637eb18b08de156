"""The public names, each of them once."""

from __future__ import annotations

import inspect

import pytest

import sqlprovider
from sqlprovider import errors


def test_all_is_sorted_and_without_repetition() -> None:
    def as_ruff_sorts(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert sqlprovider.__all__ == sorted(set(sqlprovider.__all__), key=as_ruff_sorts)


@pytest.mark.parametrize("name", sqlprovider.__all__)
def test_a_public_name_is_there_and_belongs_to_the_package(name: str) -> None:
    assert getattr(sqlprovider, name) is not None
    assert name in dir(sqlprovider)


def test_every_error_is_public() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception) and not name.startswith("_")
    }
    assert defined <= set(sqlprovider.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        sqlprovider.conect  # noqa: B018  # the look-up is what is tested


def test_a_star_import_gives_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from sqlprovider import *", names)  # noqa: S102, RUF100  # a star import cannot stand in a function
    assert set(sqlprovider.__all__) <= set(names)
