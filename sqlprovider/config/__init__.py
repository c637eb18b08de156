"""Settings and connections, resolved once from arguments, environment and file, then frozen.

A configuration holds no secret: it names the environment variables and files that do.
Start reading in `load.py`.
"""

from __future__ import annotations

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
