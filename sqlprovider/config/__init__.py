"""Settings and connections, resolved once from arguments, environment and file, then frozen.

A configuration holds no secret: it names the environment variables and files that do.
Start reading in `load.py`. The command line's help names settings and loads nothing else: so each name is
looked up at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlprovider.config.auth import AUTH_OPTIONS, AuthSpec
    from sqlprovider.config.connections import ConnectionConfig, base_url_problem
    from sqlprovider.config.load import Config, load_config, parse_value
    from sqlprovider.config.settings import SETTINGS, Setting, Settings, apply_set, with_setting

__all__ = [
    "AUTH_OPTIONS",
    "SETTINGS",
    "AuthSpec",
    "Config",
    "ConnectionConfig",
    "Setting",
    "Settings",
    "apply_set",
    "base_url_problem",
    "load_config",
    "parse_value",
    "with_setting",
]

_MODULES = ("settings", "auth", "connections", "load")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    modules = (import_module(f"{__name__}.{module}") for module in _MODULES)
    value: object = next(getattr(module, name) for module in modules if hasattr(module, name))
    globals()[name] = value
    return value
