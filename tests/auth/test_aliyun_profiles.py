"""Which credentials and which region come out of variables and files, and what is said where they do not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from sqlprovider.auth.aliyun import (
    access_key_auth,
    aliyun_bearer_auth,
    aliyun_region,
    found_aliyun,
    profile_auth,
)
from sqlprovider.errors import ConfigError, CredentialsError, InterfaceError

AK = {"mode": "AK", "access_key_id": "AKID", "access_key_secret": "s3cret-planted"}
STS = {**AK, "mode": "StsToken", "access_key_id": "STS.ID", "sts_token": "t0ken-planted"}
INI = """
[default]
type = access_key          # of the whole team
access_key_id = INI.DEFAULT
access_key_secret = s3cret-planted
[temporary]
type = sts
access_key_id = INI.STS
access_key_secret = s3cret-planted
security_token = t0ken-planted
[portal]
type = bearer
bearer_token = t0ken-planted
[machine]
type = ecs_ram_role
role_name = r
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def write_json(
    environ: Mapping[str, str], profiles: Mapping[str, Mapping[str, object]], *, current: str = "default"
) -> Path:
    path = Path(environ["HOME"], ".aliyun", "config.json")
    path.parent.mkdir(exist_ok=True)
    entries = [{"name": name, **values} for name, values in profiles.items()]
    path.write_text(json.dumps({"current": current, "profiles": entries, "meta_path": ""}))
    return path


def write_ini(environ: Mapping[str, str], text: str = INI, name: str = "credentials") -> Path:
    path = Path(environ["HOME"], ".alibabacloud", name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def sent(auth: httpx.Auth | None) -> Mapping[str, str]:
    """The headers of a request, with `key` for the id that signed it."""
    assert auth is not None
    headers = dict(next(auth.sync_auth_flow(httpx.Request("GET", "https://h/"))).headers)
    return {**headers, "key": headers.get("authorization", "=,").split("=")[1].split(",")[0]}


def failure(kind: type[InterfaceError], options: Mapping[str, str], environ: Mapping[str, str]) -> str:
    with pytest.raises(kind) as caught:
        profile_auth(options, environ)
    assert "planted" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_an_access_key_is_read_from_the_variables_that_the_options_name() -> None:
    options = {"id_env": "MY_ID", "secret_env": "MY_SECRET", "token_env": "MY_TOKEN"}
    headers = sent(access_key_auth(options, {"MY_ID": "A", "MY_SECRET": "s", "MY_TOKEN": "t\n"}))
    assert (headers["key"], headers["x-acs-security-token"]) == ("A", "t")


def test_an_access_key_without_a_token_sends_none() -> None:
    options = {"id_env": "MY_ID", "secret_env": "MY_SECRET"}
    assert "x-acs-security-token" not in sent(access_key_auth(options, {"MY_ID": "A", "MY_SECRET": "s"}))


def test_a_bearer_token_is_read_from_the_variable_that_the_option_names() -> None:
    assert sent(aliyun_bearer_auth({"env": "T"}, {"T": "abc"}))["x-acs-bearer-token"] == "abc"


@pytest.mark.parametrize("missing", ["MY_ID", "MY_SECRET", "MY_TOKEN"])
def test_a_variable_that_is_not_set_is_named(missing: str) -> None:
    options = {"id_env": "MY_ID", "secret_env": "MY_SECRET", "token_env": "MY_TOKEN"}
    environ = {"MY_ID": "A", "MY_SECRET": "s3cret-planted", "MY_TOKEN": "t0ken-planted", missing: ""}
    with pytest.raises(CredentialsError, match=f"{missing} is not set") as caught:
        access_key_auth(options, environ)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("token", ["plant ed", "plantéd", 'plant"ed', "plant,ed"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(CredentialsError, match="variable T holds") as caught:
        aliyun_bearer_auth({"env": "T"}, {"T": token})
    assert "plant" not in str(caught.value)


def test_the_current_profile_of_the_command_line_is_taken(environ: dict[str, str]) -> None:
    write_json(environ, {"default": AK, "staging": STS}, current="staging")
    headers = sent(profile_auth({}, environ))
    assert (headers["key"], headers["x-acs-security-token"]) == ("STS.ID", "t0ken-planted")


def test_a_profile_can_be_named_by_option_and_by_variable(environ: dict[str, str]) -> None:
    write_json(environ, {"default": AK, "staging": STS})
    assert sent(profile_auth({"name": "staging"}, environ))["key"] == "STS.ID"
    assert sent(profile_auth({}, {**environ, "ALIBABA_CLOUD_PROFILE": "staging"}))["key"] == "STS.ID"


@pytest.mark.parametrize("name", ["credentials", "credentials.ini"])
@pytest.mark.parametrize(
    ("profile", "header", "value"),
    [
        ("default", "key", "INI.DEFAULT"),
        ("temporary", "key", "INI.STS"),
        ("portal", "x-acs-bearer-token", "t0ken-planted"),
    ],
)
def test_the_ini_file_has_keys_temporary_keys_and_bearer_tokens(
    environ: dict[str, str], name: str, profile: str, header: str, value: str
) -> None:
    write_ini(environ, name=name)
    assert sent(profile_auth({"name": profile}, environ))[header] == value


def test_a_named_file_can_have_either_form_and_a_tilde(environ: dict[str, str]) -> None:
    write_ini(environ, name="mine")
    write_json(environ, {"default": AK})
    assert sent(profile_auth({"file": "~/.alibabacloud/mine"}, environ))["key"] == "INI.DEFAULT"
    assert sent(profile_auth({"file": "~/.aliyun/config.json"}, environ))["key"] == "AKID"


def test_a_profile_that_only_the_second_file_has_is_found(environ: dict[str, str]) -> None:
    write_json(environ, {"default": AK})
    write_ini(environ)
    assert sent(profile_auth({"name": "temporary"}, environ))["key"] == "INI.STS"


def test_the_file_is_read_again_for_each_refusal(environ: dict[str, str]) -> None:
    write_json(environ, {"default": STS})
    keys = []

    def refuse_the_old(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["x-acs-security-token"])
        write_json(environ, {"default": {**STS, "sts_token": "n3w"}})
        return httpx.Response(200 if keys[-1] == "n3w" else 403)

    with httpx.Client(
        auth=profile_auth({}, environ), transport=httpx.MockTransport(refuse_the_old)
    ) as client:
        assert client.get("https://h/").status_code == 200
    assert keys == ["t0ken-planted", "n3w"]


def test_a_file_that_is_not_there_is_named(environ: dict[str, str]) -> None:
    assert "there is no file /nowhere/x" in failure(CredentialsError, {"file": "/nowhere/x"}, environ)


def test_no_file_at_all_names_the_places_that_were_looked_in(environ: dict[str, str]) -> None:
    message = failure(CredentialsError, {}, environ)
    assert f"{environ['HOME']}/.aliyun/config.json" in message
    assert f"{environ['HOME']}/.alibabacloud/credentials" in message


def test_without_a_home_it_says_so() -> None:
    assert "HOME is not set" in failure(CredentialsError, {}, {})
    assert "HOME is not set" in failure(CredentialsError, {"file": "~/x"}, {})


def test_a_missing_profile_gives_the_nearest_names(environ: dict[str, str]) -> None:
    path = write_json(environ, {"default": AK, "staging": AK})
    message = failure(ConfigError, {"name": "stagign"}, environ)
    assert message == f"{path}: there is no profile 'stagign'; did you mean staging?"


def test_a_named_file_without_its_current_profile_says_which_there_are(environ: dict[str, str]) -> None:
    path = write_json(environ, {"a": AK, "b": AK}, current="default")
    message = failure(ConfigError, {"file": str(path)}, environ)
    assert message == f"{path}: there is no profile 'default'; there are: a, b"


@pytest.mark.parametrize("mode", ["RamRoleArn", "EcsRamRole", "OIDC", "CloudSSO", "OAuth", "External"])
def test_a_mode_that_is_not_supported_is_named(environ: dict[str, str], mode: str) -> None:
    path = write_json(environ, {"default": {**AK, "mode": mode}})
    message = failure(ConfigError, {}, environ)
    assert message.startswith(
        f"{path}: profile 'default' has mode {mode}, which is not supported; there are: AK, StsToken"
    )


def test_a_type_of_the_ini_file_that_is_not_supported_is_named(environ: dict[str, str]) -> None:
    write_ini(environ)
    message = failure(ConfigError, {"name": "machine"}, environ)
    assert "profile 'machine' has type ecs_ram_role, which is not supported" in message


@pytest.mark.parametrize(
    ("profile", "key"),
    [
        pytest.param({**STS, "sts_token": ""}, "sts_token", id="sts_token"),
        pytest.param({**AK, "access_key_secret": None}, "access_key_secret", id="secret"),
        pytest.param({"mode": "AK", "access_key_secret": "s3cret-planted"}, "access_key_id", id="id"),
        pytest.param({"access_key_id": "A"}, "type", id="mode"),
    ],
)
def test_a_missing_key_is_named(environ: dict[str, str], profile: dict[str, object], key: str) -> None:
    path = write_json(environ, {"default": profile})
    assert failure(ConfigError, {}, environ) == f"{path}: profile 'default' has no {key}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"current": "default", "profiles": [{"s3cret-planted', id="cut"),
        pytest.param('{"current": "s3cret-planted"}', id="no-profiles"),
        pytest.param('{"profiles": [1, "s3cret-planted"]}', id="numbers"),
        pytest.param('{"profiles": {"s3cret-planted": 1}}', id="table"),
    ],
)
def test_a_json_file_of_another_form_is_refused_without_showing_it(
    environ: dict[str, str], text: str
) -> None:
    path = write_json(environ, {})
    path.write_text(text)
    assert str(path) in failure(ConfigError, {}, environ)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("access_key_secret = s3cret-planted\n", 1, id="no-section"),
        pytest.param("[default]\ns3cret-planted\n", 2, id="no-key"),
        pytest.param("[default]\na = s3cret-planted\na = s3cret-planted", 3, id="twice"),
        pytest.param("[default]\na = s3cret-planted\n[default]\n", 3, id="section-twice"),
    ],
)
def test_an_ini_file_of_another_form_names_the_line_without_showing_it(
    environ: dict[str, str], text: str, line: int
) -> None:
    path = write_ini(environ, text)
    assert f"{path} (Alibaba Cloud's profiles) cannot be read at line {line}" in failure(
        ConfigError, {}, environ
    )


def test_a_file_that_is_no_text_is_refused(environ: dict[str, str]) -> None:
    write_ini(environ).write_bytes(b"[default]\n\xff")
    assert "is not UTF-8 text (byte 10)" in failure(CredentialsError, {}, environ)


def test_a_directory_in_place_of_the_file_cannot_be_read(environ: dict[str, str]) -> None:
    assert "cannot read" in failure(CredentialsError, {"file": environ["HOME"]}, environ)


def test_a_value_that_cannot_be_sent_is_not_shown(environ: dict[str, str]) -> None:
    write_json(environ, {"default": {**STS, "sts_token": "t0ken-plantéd"}})
    with pytest.raises(ConfigError, match="sts_token holds characters that cannot be sent") as caught:
        profile_auth({}, environ)
    assert "plant" not in str(caught.value)


def test_the_variables_of_the_vendor_are_found_first(environ: dict[str, str]) -> None:
    write_json(environ, {"default": AK})
    variables = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "ENV", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}
    assert sent(found_aliyun({**environ, **variables}))["key"] == "ENV"
    with_token = {**environ, **variables, "ALIBABA_CLOUD_SECURITY_TOKEN": "t"}
    assert sent(found_aliyun(with_token))["x-acs-security-token"] == "t"


def test_an_id_without_its_secret_is_an_error_and_not_passed_over(environ: dict[str, str]) -> None:
    with pytest.raises(CredentialsError, match="ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set"):
        found_aliyun({**environ, "ALIBABA_CLOUD_ACCESS_KEY_ID": "ENV"})


def test_the_files_are_found_in_the_vendors_order(environ: dict[str, str]) -> None:
    write_ini(environ)
    assert sent(found_aliyun(environ))["key"] == "INI.DEFAULT"
    write_json(environ, {"default": AK})
    assert sent(found_aliyun(environ))["key"] == "AKID"
    disabled = {**environ, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "True"}
    assert sent(found_aliyun(disabled))["key"] == "INI.DEFAULT"
    named = {**environ, "ALIBABA_CLOUD_CREDENTIALS_FILE": "~/.alibabacloud/credentials"}
    assert sent(found_aliyun(named))["key"] == "INI.DEFAULT"


def test_a_file_that_the_variable_names_must_be_there(environ: dict[str, str]) -> None:
    with pytest.raises(CredentialsError, match="there is no file /nowhere"):
        found_aliyun({**environ, "ALIBABA_CLOUD_CREDENTIALS_FILE": "/nowhere"})


@pytest.mark.parametrize(
    "profiles",
    [
        pytest.param({}, id="no-profile"),
        pytest.param({"default": {"mode": "AK", "access_key_id": "", "access_key_secret": ""}}, id="blank"),
    ],
)
def test_a_configuration_that_was_never_filled_in_is_nothing(
    environ: dict[str, str], profiles: dict[str, dict[str, object]]
) -> None:
    write_json(environ, profiles)
    assert found_aliyun(environ) is None


def test_nothing_is_found_where_there_is_nothing(environ: dict[str, str]) -> None:
    assert found_aliyun(environ) is None
    assert found_aliyun({}) is None
    assert aliyun_region({}, environ) is None


def test_what_is_found_and_not_supported_is_an_error(environ: dict[str, str]) -> None:
    write_json(environ, {"default": {"mode": "EcsRamRole", "ram_role_name": "r"}})
    with pytest.raises(ConfigError, match="has mode EcsRamRole"):
        found_aliyun(environ)


def test_the_region_is_the_profiles_and_else_the_variables(environ: dict[str, str]) -> None:
    write_json(environ, {"default": {**AK, "region_id": "cn-hangzhou"}, "other": AK})
    with_variable = {**environ, "ALIBABA_CLOUD_REGION_ID": "cn-beijing"}
    assert aliyun_region({}, with_variable) == "cn-hangzhou"
    assert aliyun_region({"name": "other"}, with_variable) == "cn-beijing"
    assert aliyun_region({"name": "other"}, environ) is None


def test_a_region_that_would_be_another_host_is_refused(environ: dict[str, str]) -> None:
    write_json(environ, {"default": {**AK, "region_id": "evil.example/x"}})
    with pytest.raises(ConfigError, match=r"region_id is no region's name: 'evil\.example/x'"):
        aliyun_region({}, environ)
