"""The flags that every command with a session has: the configuration, keys of it, and the settings."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from sqlprovider.config import SETTINGS, Settings


def add_configuration_flags(parser: argparse.ArgumentParser, names: Iterable[str] = SETTINGS) -> None:
    """Adds `--config`, `--set`, and a flag for each of these settings."""
    parser.add_argument(
        "--config", metavar="FILE", help="default: $SQLPROVIDER_CONFIG, ./sqlprovider.toml, the user's folder"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting, or a key below connections (mlflow.base_url=…); may be repeated",
    )
    for name in names:
        setting, flag = SETTINGS[name], f"--{name.replace('_', '-')}"
        if not setting.is_flag:
            parser.add_argument(flag, dest=name, metavar=setting.metavar, help=setting.title)
        elif getattr(Settings(), name):
            # What is on by default is turned off by `--no-…`.
            action, title = argparse.BooleanOptionalAction, f"{setting.title} (default)"
            parser.add_argument(flag, dest=name, action=action, default=None, help=title)
        else:
            parser.add_argument(flag, dest=name, action="store_true", default=None, help=setting.title)
