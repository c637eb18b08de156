"""What comes out of `~/.oci/config` and the files it names, and what is said where it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sqlprovider.auth.oci import api_key_auth, found_oci, oci_region, security_token_auth
from sqlprovider.errors import ConfigError, CredentialsError, InterfaceError
from tests.auth.oci_home import API_KEY, KEY_ID, SESSION, Home, api_key_home, pem, rsa_key


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return api_key_home(tmp_path)


def key_id(auth: httpx.Auth | None) -> str:
    """Who signs a request."""
    assert auth is not None
    request = next(auth.sync_auth_flow(httpx.Request("GET", "https://h/")))
    return request.headers["authorization"].partition('keyId="')[2].partition('"')[0]


def failure(kind: type[InterfaceError], environ: Mapping[str, str], **options: str) -> str:
    with pytest.raises(kind) as caught:
        api_key_auth(options, environ)
    assert "planted" not in str(caught.value)
    return str(caught.value)


def test_an_api_key_is_named_by_tenancy_user_and_fingerprint(home: Home) -> None:
    assert key_id(api_key_auth({}, home.environ)) == KEY_ID


def test_a_profile_is_named_by_option_and_by_variable_and_has_what_default_has(home: Home) -> None:
    home.config({"DEFAULT": API_KEY, "team": {"user": "ocid1.user.oc1..team"}})
    team = KEY_ID.replace("oc1..u/", "oc1..team/")
    assert key_id(api_key_auth({"profile": "team"}, home.environ)) == team
    assert key_id(api_key_auth({}, {**home.environ, "OCI_CLI_PROFILE": "team"})) == team
    assert key_id(api_key_auth({}, home.environ)) == KEY_ID


@pytest.mark.parametrize("variable", ["OCI_CONFIG_FILE", "OCI_CLI_CONFIG_FILE"])
def test_a_file_is_named_by_option_and_by_variable(home: Home, variable: str) -> None:
    home.config({"DEFAULT": {**API_KEY, "user": "ocid1.user.oc1..x"}}, name="other")
    other = KEY_ID.replace("oc1..u/", "oc1..x/")
    assert key_id(api_key_auth({"file": "~/.oci/other"}, home.environ)) == other
    assert key_id(api_key_auth({}, {**home.environ, variable: "~/.oci/other"})) == other
    by_option = {**home.environ, variable: "/nowhere"}
    assert key_id(api_key_auth({"file": "~/.oci/other"}, by_option)) == other


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("pass_phrase", [None, "correct horse, planted %"])
def test_a_key_opens_with_its_pass_phrase(
    tmp_path: Path, form: PrivateFormat, pass_phrase: str | None
) -> None:
    home = api_key_home(tmp_path, **({"pass_phrase": pass_phrase} if pass_phrase else {}))
    home.file("key.pem", pem(rsa_key(), pass_phrase, form))
    assert key_id(api_key_auth({}, home.environ)) == KEY_ID


def test_a_percent_sign_is_nothing_special_in_any_profile(home: Home) -> None:
    home.config({"DEFAULT": API_KEY, "team": {"pass_phrase": "50%(planted)s%"}})
    home.file("key.pem", pem(rsa_key(), "50%(planted)s%"))
    assert key_id(api_key_auth({"profile": "team"}, home.environ)) == KEY_ID


def test_the_pass_phrase_can_stand_in_the_vendors_variable(home: Home) -> None:
    home.file("key.pem", pem(rsa_key(), "planted"))
    assert key_id(api_key_auth({}, {**home.environ, "OCI_CLI_PASSPHRASE": "planted"})) == KEY_ID


def test_a_pass_phrase_that_the_key_does_not_need_and_a_label_below_it_do_no_harm(tmp_path: Path) -> None:
    home = api_key_home(tmp_path, pass_phrase="planted")
    home.file("key.pem", b"\n" + pem(rsa_key()) + b"OCI_API_KEY\n")
    assert key_id(api_key_auth({}, home.environ)) == KEY_ID


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_wrong_pass_phrase_is_told(tmp_path: Path, form: PrivateFormat) -> None:
    home = api_key_home(tmp_path, pass_phrase="planted-wrong")
    path = home.file("key.pem", pem(rsa_key(), "planted-right", form))
    assert failure(CredentialsError, home.environ) == (
        f"{path} (key_file of {tmp_path}/.oci/config: profile 'DEFAULT') cannot be opened: "
        "the pass phrase is wrong"
    )


def test_a_missing_pass_phrase_is_told(home: Home) -> None:
    home.file("key.pem", pem(rsa_key(), "planted"))
    assert "needs a pass phrase, and there is no pass_phrase" in failure(CredentialsError, home.environ)


def _other_keys() -> Mapping[str, bytes]:
    elliptic = ec.generate_private_key(ec.SECP256R1())
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "elliptic": elliptic.private_bytes(*form),
        "edwards": ed25519.Ed25519PrivateKey.generate().private_bytes(*form),
        "public": public,
        "der": rsa_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "cut": pem(rsa_key())[:300],
        "empty": b"",
        "text": b"planted",
    }


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        pytest.param("elliptic", "a key that is not an RSA key", id="elliptic"),
        pytest.param("edwards", "a key that is not an RSA key", id="edwards"),
        pytest.param("public", "a public key", id="public"),
        pytest.param("der", "no private key in PEM form", id="der"),
        pytest.param("cut", "no private key in PEM form", id="cut"),
        pytest.param("empty", "no private key in PEM form", id="empty"),
        pytest.param("text", "no private key in PEM form", id="text"),
    ],
)
def test_what_is_no_rsa_key_is_told(home: Home, kind: str, what: str) -> None:
    path = home.file("key.pem", _other_keys()[kind])
    message = failure(CredentialsError, home.environ)
    assert message.startswith(f"{path} (key_file of ")
    assert message.endswith(f" holds {what}")


def test_a_key_file_that_is_not_there_is_named_with_who_names_it(home: Home) -> None:
    (home.path / ".oci/key.pem").unlink()
    message = failure(CredentialsError, home.environ)
    assert message == (
        f"there is no file {home.path}/.oci/key.pem (key_file of {home.path}/.oci/config: profile 'DEFAULT')"
    )


def test_a_key_file_that_is_a_directory_cannot_be_read(tmp_path: Path) -> None:
    home = api_key_home(tmp_path, key_file="~/.oci")
    assert "cannot read" in failure(CredentialsError, home.environ)


def test_a_missing_file_is_named(home: Home) -> None:
    assert "there is no file /nowhere (OCI's configuration)" in failure(
        CredentialsError, home.environ, file="/nowhere"
    )
    message = failure(CredentialsError, {"HOME": "/nowhere"})
    assert message == "there is no file /nowhere/.oci/config (OCI's configuration)"


def test_without_a_home_it_says_so() -> None:
    assert "HOME is not set" in failure(CredentialsError, {})


def test_a_missing_profile_gives_the_nearest_names(home: Home) -> None:
    path = home.config({"DEFAULT": API_KEY, "staging": API_KEY, "production": API_KEY})
    message = failure(ConfigError, home.environ, profile="stagign")
    assert message == f"{path}: there is no profile 'stagign'; did you mean staging?"


def test_a_file_without_a_default_profile_says_which_there_are(home: Home) -> None:
    path = home.config({"a": API_KEY, "b": API_KEY})
    assert failure(ConfigError, home.environ) == (f"{path}: there is no profile 'DEFAULT'; there are: a, b")


@pytest.mark.parametrize("key", ["user", "tenancy", "fingerprint", "key_file"])
def test_a_missing_key_is_named(home: Home, key: str) -> None:
    path = home.config({"DEFAULT": {**API_KEY, key: ""}})
    assert failure(ConfigError, home.environ) == f"{path}: profile 'DEFAULT' has no {key}"


def test_a_profile_of_a_session_says_which_type_it_is_for(home: Home) -> None:
    home.config({"DEFAULT": SESSION})
    message = failure(ConfigError, home.environ)
    assert message.endswith('hint: auth = { type = "security_token", profile = "DEFAULT" }')


def test_a_profile_of_another_kind_is_named(home: Home) -> None:
    home.config({"DEFAULT": {**API_KEY, "authentication_type": "instance_principal"}})
    message = failure(ConfigError, home.environ)
    assert "has authentication_type 'instance_principal', which is not supported" in message


@pytest.mark.parametrize("user", ['ocid1"planted', "ocid1-plantéd", "ocid1\n planted"])
def test_a_value_that_cannot_be_sent_is_not_shown(home: Home, user: str) -> None:
    home.config({"DEFAULT": {**API_KEY, "user": user}})
    assert failure(ConfigError, home.environ).endswith("user holds characters that cannot be sent")


def test_a_file_that_is_not_in_ini_form_names_the_line_without_showing_it(home: Home) -> None:
    path = home.file("config", b"[DEFAULT]\nuser=u\nplanted\n")
    message = failure(ConfigError, home.environ)
    assert message == f"{path} (OCI's configuration) cannot be read at line 3: it is not in INI form"


def test_a_missing_package_gives_the_line_that_installs_it(home: Home) -> None:
    # A process of its own: here the package has long been imported.
    script = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from sqlprovider.auth.oci import api_key_auth\n"
        "from sqlprovider.errors import ConfigError\n"
        "try: api_key_auth({}, {'HOME': sys.argv[1]})\n"
        "except ConfigError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(home.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "signing for OCI needs the package cryptography\nhint: pip install 'sqlprovider[oci]'\n"
    )


def test_the_package_is_not_imported_before_a_key_is_read() -> None:
    script = "import sqlprovider.auth.oci, sys; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_found_takes_the_profile_for_what_it_is(home: Home) -> None:
    assert key_id(found_oci(home.environ)) == KEY_ID
    home.file("token", b"opaque")
    home.config({"DEFAULT": SESSION})
    assert key_id(found_oci(home.environ)) == "ST$opaque"
    assert key_id(security_token_auth({}, home.environ)) == "ST$opaque"


def test_nothing_is_found_where_there_is_no_file(tmp_path: Path) -> None:
    assert found_oci({"HOME": str(tmp_path)}) is None
    assert found_oci({}) is None
    assert oci_region({}, {}) is None


def test_a_file_that_a_variable_names_must_be_there(home: Home) -> None:
    with pytest.raises(CredentialsError, match="there is no file /nowhere"):
        found_oci({**home.environ, "OCI_CONFIG_FILE": "/nowhere"})


def test_the_region_is_the_profiles_and_else_the_variables(home: Home) -> None:
    variables = {**home.environ, "OCI_REGION": "eu-zurich-1"}
    assert oci_region({}, variables) == "us-phoenix-1"
    home.config({"DEFAULT": API_KEY, "team": {"region": "eu-frankfurt-1"}})
    assert oci_region({"profile": "team"}, variables) == "eu-frankfurt-1"
    assert oci_region({}, variables) == "eu-zurich-1"
    assert oci_region({}, {**home.environ, "OCI_CLI_REGION": "uk-london-1"}) == "uk-london-1"
    assert oci_region({}, home.environ) is None


def test_a_region_that_would_be_another_host_is_refused(tmp_path: Path) -> None:
    home = api_key_home(tmp_path, region="evil.example/x")
    with pytest.raises(ConfigError, match=r"region is no region's name: 'evil\.example/x'"):
        oci_region({}, home.environ)
