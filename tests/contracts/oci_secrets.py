"""Fields of Oracle's models that hold a credential, by their names: the SDK does not mark them.

What names a secret that is kept elsewhere (`secretId`, the key of a vault's entry) is none. The properties of
a connection are free text under any key, a password's among them.
"""

from __future__ import annotations

import re

from tests.contracts.oci_sdk import Field, Sdk

_NAMED = re.compile(
    r"\w*(?:password|passphrase|privateKey|privateApiKey|clientSecret|secretValue|personalAccessToken|AdminCred)"
    r"|token|connectionProperties",
    re.IGNORECASE,
)
_TEXTS = ("str", "dict(str, str)")


def holds_secret(sdk: Sdk, field: Field) -> bool:
    """Whether a credential is in a field, or somewhere below it."""
    return _is_secret(field) or _holds(sdk, field.type, set())


def _is_secret(field: Field) -> bool:
    return field.type in _TEXTS and _NAMED.fullmatch(field.wire_name) is not None


def _holds(sdk: Sdk, type_: str, seen: set[str]) -> bool:
    """Whether a model, or what it holds or stands for, has a secret field."""
    name = re.sub(r"^(?:list\[|dict\(str, )+|[\])]+$", "", type_)
    if name in seen or not sdk.is_model(name):
        return False
    seen.add(name)
    model = sdk.model(name)
    below = (*(field.type for field in model.fields.values()), *model.subtypes)
    return any(map(_is_secret, model.fields.values())) or any(_holds(sdk, held, seen) for held in below)
