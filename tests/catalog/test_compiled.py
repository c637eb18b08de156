"""A compiled provider is the one that its documents make, is seldom made, and is of nobody else's hand."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest

from sqlprovider.catalog.compiled import CACHE_VARIABLE, open_compiled, stamp_of
from sqlprovider.catalog.load import build_from, provider_names
from sqlprovider.catalog.model import Provider, Resource
from sqlprovider.errors import CatalogError
from tests.catalog.drafts import BENCH, edited, write_provider

SCHEMAS = Path(__file__).parents[2] / "schemas"
LATER = 2**62
"""A time at which every file of today is an old one."""
HEAD = struct.Struct("<8sLLL")
SECOND_START = """
import sys
from sqlprovider.catalog.load import load_provider
resource = load_provider("mlflow", {}).services["tracking"].resources["runs"]
print(resource.name, sorted({"yaml", "pydantic", "sqlprovider.catalog.document"} & sys.modules.keys()))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the compiled files, which is not there yet."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache" / "catalog"


class Lab:
    """A provider's documents, and how often they were read."""

    def __init__(self, folder: Path) -> None:
        self.builds = 0
        self.folder = write_provider(folder, BENCH)

    def open(self, now: Callable[[], int] = lambda: LATER) -> Provider:
        def build() -> Provider:
            self.builds += 1
            return build_from(self.folder, {})

        return open_compiled(self.folder, (), stamp_of(self.folder.iterdir()), build, now=now)

    def title(self) -> str:
        return self.open().services["bench"].title


@pytest.fixture
def lab(cache: Path, tmp_path: Path) -> Lab:
    """Documents whose compiled file is there."""
    lab = Lab(tmp_path)
    assert lab.title() == "Benches"
    assert (lab.builds, len(list(cache.iterdir()))) == (1, 1)
    return lab


def said(provider: Provider) -> dict[str, str]:
    """Everything that a provider says, with the kinds of its values, a resource an entry."""
    found = {"": repr((provider.errors, provider.wait, *(getattr(provider, word) for word in WORDS)))}
    for service in provider.services.values():
        found[service.name] = repr([getattr(service, word) for word in SERVICE_WORDS])
        for name, resource in service.resources.items():
            summary = service.resources.summary(name)
            found[f"{service.name}.{name}"] = f"{asdict(resource)!r} {summary!r} {shared(resource)}"
    return found


WORDS = [word for word in Provider.__slots__ if word != "services"]
SERVICE_WORDS = ("version", "title", "base_url", "global_url", "endpoints", "versions")


def shared(resource: Resource) -> list[bool]:
    """Whether each column, looked up by its name, is the one in the table."""
    return [resource.column(column.name) is column for column in resource.columns]


@pytest.mark.parametrize(
    ("provider", "versions"),
    [
        *(pytest.param(name, {}, id=name) for name in provider_names()),
        pytest.param("google", {"aiplatform": "v1beta1"}, id="google in v1beta1"),
    ],
)
def test_a_compiled_provider_is_the_one_that_is_built(
    provider: str, versions: dict[str, str], cache: Path
) -> None:
    folder = SCHEMAS / provider
    built = build_from(folder, versions)
    asked, stamp = tuple(versions.items()), stamp_of(folder.iterdir())
    open_compiled(folder, asked, stamp, lambda: built, now=lambda: LATER)

    def refuse() -> Provider:
        raise AssertionError("the documents are read again")

    assert said(open_compiled(folder, asked, stamp, refuse)) == said(built)


def test_a_second_start_loads_nothing_that_reads_documents(tmp_path: Path) -> None:
    home = {**os.environ, CACHE_VARIABLE: str(tmp_path)}

    def start() -> str:
        command = [sys.executable, "-c", SECOND_START]
        return subprocess.run(command, env=home, capture_output=True, text=True, check=True).stdout

    assert start() == "mlflow.tracking.runs ['pydantic', 'sqlprovider.catalog.document', 'yaml']\n"
    assert start() == "mlflow.tracking.runs []\n"


def test_documents_that_are_as_they_were_are_read_once(lab: Lab) -> None:
    assert (lab.title(), lab.builds) == ("Benches", 1)


def test_a_changed_document_is_seen_at_once_whatever_its_size_and_time(lab: Lab) -> None:
    file = lab.folder / "bench.yaml"
    before = file.stat()
    file.write_text(file.read_text().replace("Benches", "Bunches"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert (lab.title(), lab.builds) == ("Bunches", 2)


def test_a_document_that_is_put_in_the_place_of_another_is_seen(lab: Lab, tmp_path: Path) -> None:
    file = lab.folder / "bench.yaml"
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text().replace("Benches", "Bunches"))
    other.replace(file)
    assert (lab.title(), lab.builds) == ("Bunches", 2)


def test_a_new_file_of_a_provider_is_seen(lab: Lab) -> None:
    (lab.folder / "more.json").write_text("{}")
    lab.open()
    assert lab.builds == 2


def test_what_was_written_a_moment_ago_is_not_kept(cache: Path, tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    written = max(file.stat().st_ctime_ns for file in lab.folder.iterdir())
    lab.open(now=lambda: written + 1_000_000_000)
    assert not cache.exists()


def test_a_version_has_a_file_of_its_own(cache: Path, tmp_path: Path) -> None:
    write_provider(tmp_path, BENCH)
    folder = tmp_path / "lab"
    for version in ("v2", "v1", "v2", "v1"):
        build, stamp = partial(build_from, folder, {"bench": version}), stamp_of(folder.iterdir())
        found = open_compiled(folder, (("bench", version),), stamp, build, now=lambda: LATER)
        assert found.services["bench"].version == version
    assert len(list(cache.iterdir())) == 2


def test_a_wrong_document_is_refused_each_time(lab: Lab) -> None:
    service = edited(BENCH, "resources.trials.key", ["a", "b"])
    write_provider(lab.folder.parent, service)
    for _ in range(2):
        with pytest.raises(CatalogError):
            lab.open()


def test_the_files_are_the_users_own(lab: Lab, cache: Path) -> None:
    (file,) = cache.iterdir()
    assert (cache.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777], ids=oct)
def test_a_folder_in_which_others_can_write_is_not_used(lab: Lab, cache: Path, mode: int) -> None:
    cache.chmod(mode)
    assert (lab.title(), lab.title(), lab.builds) == ("Benches", "Benches", 3)


def test_a_file_in_which_others_can_write_is_made_anew(lab: Lab, cache: Path) -> None:
    (file,) = cache.iterdir()
    file.chmod(0o620)
    assert (lab.title(), lab.title(), lab.builds) == ("Benches", "Benches", 2)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_behind_a_link_is_made_anew(lab: Lab, cache: Path, tmp_path: Path) -> None:
    (file,) = cache.iterdir()
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert (lab.title(), lab.title(), lab.builds) == ("Benches", "Benches", 2)
    assert not file.is_symlink()


@pytest.mark.parametrize("place", [0, 8, 12, 16, 20, 400, -400, -1])
def test_a_file_with_one_wrong_bit_is_made_anew(lab: Lab, cache: Path, place: int) -> None:
    (file,) = cache.iterdir()
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    assert (lab.title(), lab.title(), lab.builds) == ("Benches", "Benches", 2)


@pytest.mark.parametrize("kept", [0, 10, 20, 500, -1])
def test_a_file_that_was_cut_off_is_made_anew(lab: Lab, cache: Path, kept: int) -> None:
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:kept])
    assert (lab.title(), lab.title(), lab.builds) == ("Benches", "Benches", 2)


def test_a_file_calls_nothing_but_shapes_of_the_catalog(lab: Lab, cache: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "called"),)

    (file,) = cache.iterdir()
    data = file.read_bytes()
    magic, _, key_size, _ = HEAD.unpack_from(data)
    key, index = data[HEAD.size :][:key_size], pickle.dumps(Evil())
    rest = struct.pack("<LL", key_size, len(index)) + key + index
    file.write_bytes(struct.pack("<8sL", magic, zlib.crc32(rest)) + rest)
    assert (lab.title(), lab.builds) == ("Benches", 2)
    assert not (tmp_path / "called").exists()


def test_without_a_folder_to_write_in_the_documents_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    lab = Lab(tmp_path)
    assert (lab.title(), lab.title(), lab.builds) == ("Benches", "Benches", 2)


def test_a_draft_of_another_process_is_left_alone(lab: Lab, cache: Path) -> None:
    (file,) = cache.iterdir()
    (cache / f".{file.name}.1.1").write_bytes(b"half")
    file.unlink()
    assert (lab.title(), lab.title(), lab.builds) == ("Benches", "Benches", 2)
