"""The region that the vendor's own profile names, for a connection that names none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sqlprovider.config import AuthSpec

Options = Mapping[str, str]


def found_region(spec: AuthSpec | None, types: Iterable[str], environ: Mapping[str, str]) -> str | None:
    """The region of the auth type in use, else of those looked for; None: nothing says.

    Raises ConfigError or CredentialsError for a profile that is named and is not there.
    """
    if spec is not None:
        finder = _REGIONS.get(spec.type)
        return None if finder is None else finder(spec.options, environ)
    finders = dict.fromkeys(_REGIONS[kind] for kind in types if kind in _REGIONS)
    return next((region for finder in finders if (region := finder({}, environ)) is not None), None)


def _aliyun(options: Options, environ: Mapping[str, str]) -> str | None:
    from sqlprovider.auth.aliyun import aliyun_region  # noqa: PLC0415  only connections of that vendor pay

    return aliyun_region(options, environ)


def _oci(options: Options, environ: Mapping[str, str]) -> str | None:
    from sqlprovider.auth.oci import oci_region  # noqa: PLC0415  only connections of that vendor pay

    return oci_region(options, environ)


_REGIONS: Mapping[str, Callable[[Options, Mapping[str, str]], str | None]] = {
    "access_key": _aliyun,
    "bearer": _aliyun,
    "profile": _aliyun,
    "api_key": _oci,
    "security_token": _oci,
}
