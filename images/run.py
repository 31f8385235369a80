"""Run a framework sealed, as compose.yaml says: ``python3 images/run.py keras --engine docker --stack cpu -- …``.

What stands behind the ``--`` is what the runner is told.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

from engine import CONTAINER_ENGINES, compose_command, described_cards, has_nvidia_runtime, image_id
from hardware import cards
from recipe import Recipe, recipe
from stack import ROOT, Problem, fail, git, settings

CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
STOPPED, KILLED = 128 + signal.SIGINT, 128 + signal.SIGKILL  # exit statuses


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a framework in its image, sealed.")
    parser.add_argument("framework", help="a framework of the stack, or report")
    parser.add_argument("--engine", choices=CONTAINER_ENGINES, required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--module", default="runners", help="the runner's module (default: runners)")
    parser.epilog = "What stands behind a -- is what the runner is told."
    cut = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:cut])
    try:
        sys.exit(run(options.engine, recipe(options.stack, options.framework), options.module, sys.argv[cut + 1 :]))
    except Problem as problem:
        fail(problem)


def run(engine: str, made: Recipe, module: str, arguments: list[str]) -> int:
    """Fetch the data, then run the framework sealed; returns the runner's exit status. Raises Problem."""
    identity = image_id(engine, made.image)
    if not identity:
        raise Problem(f"the image {made.image} is not here: make bench builds it, make load brings it")
    container = Container(engine, made)
    if made.framework == "report":
        return container.run("report", ["-m", "report", "--results", "/results", "--site", "/site", *arguments])
    fetch = ["-m", "runners.data", *datasets(made.framework), "--data-dir", "/data"]
    if container.run("fetch", fetch, trust()) == STOPPED:
        return STOPPED  # data that cannot be had are the rows' business: each says so
    told = [
        *("-m", module, made.framework, "--machine", platform.node(), *arguments, "--engine", engine),
        *("--image", f"{identity} on {made.base}", "--lock-sha256", made.lock_sha256, "--commit", commit()),
        *("--out", "/results", "--data-dir", "/data", "--no-fetch"),
    ]
    status = container.run(made.framework, told)
    if status == KILLED:
        limit = container.environ["MEMORY_LIMIT"]
        print(f"erabench: the container was killed; its memory limit is {limit}, set by MEMORY_LIMIT", file=sys.stderr)
    return status


class Container:
    """One way to call Compose, with the variables and files of this engine, stack and machine."""

    def __init__(self, engine: str, made: Recipe) -> None:
        self.engine = engine
        self.environ = {**os.environ, **variables(made)}
        self.name = f"erabench-{made.framework}-{made.stack}-{os.getpid()}"
        self.compose = [*compose_command(engine), *compose_files(engine, made)]
        if not compose_command(engine):
            raise Problem(f"{engine} has no Compose: install Compose v2 (or podman-compose), or take ENGINE=venv")

    def run(self, service: str, command: list[str], options: tuple[str, ...] = ()) -> int:
        """Run a service in the foreground. Ctrl-C and a stop reach the runner in it, and nothing is left running."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        words = [*self.compose, "run", "--rm", *([] if terminal else ["-T"]), "--name", self.name, *options, service]
        # At a terminal Ctrl-C goes through to the container; elsewhere Compose would drop the run, so it never hears.
        process = subprocess.Popen([*words, *command], env=self.environ, cwd=ROOT, start_new_session=not terminal)
        before = {number: signal.signal(number, self.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            status = process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            subprocess.run([self.engine, "rm", "--force", self.name], capture_output=True, check=False)
        if status == STOPPED and terminal:
            os.killpg(os.getpgrp(), signal.SIGINT)  # for make, which has heard nothing of it and would go on
        return status

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Any way to stop becomes the Ctrl-C that the runner knows."""
        subprocess.run([self.engine, "kill", "--signal", "INT", self.name], capture_output=True, check=False)


def variables(made: Recipe) -> dict[str, str]:
    """The variables of compose.yaml. Makes the folders, or the engine would, as root. Raises Problem."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    data = Path(os.environ.get("DATA_DIR") or cache / "erabench" / "data")
    site = (
        {"ERABENCH_SITE": writable("SITE", Path(os.environ.get("SITE") or "site"))}
        if made.framework == "report"
        else {}
    )
    return {
        **site,
        "ERABENCH_RESULTS": writable("RESULTS", Path(os.environ.get("RESULTS") or "results")),
        "ERABENCH_DATA": writable("DATA_DIR", data),
        "STACK": made.stack,
        "FRAMEWORK": made.framework,
        "ERABENCH_USER": f"{os.getuid()}:{os.getgid()}",
        "ERABENCH_USERNS": "keep-id" if os.getuid() else "host",  # Podman run by root has no other to keep
        "ERABENCH_HOSTNAME": platform.node()[:63],
        "MEMORY_LIMIT": os.environ.get("MEMORY_LIMIT") or f"{memory_bytes() * 9 // 10}b",
        "CA_BUNDLE": ca_bundle() or os.devnull,
        "COMPOSE_PROJECT_NAME": "erabench",
    }


def writable(variable: str, folder: Path) -> str:
    """The folder's whole path, made and tried. Raises Problem where nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Problem(f"{variable}={folder} cannot be written: {error.strerror}; choose another {variable}") from error
    return str(folder.resolve())


def compose_files(engine: str, made: Recipe) -> list[str]:
    """The compose files for this engine and this machine's cards."""
    names = ["compose.yaml"] + (["compose.podman.yaml"] if engine == "podman" else [])
    if "CARDS_PYTORCH" in settings(made.stack) and made.framework != "classical" and cards()[0]:
        names += gpu_file(engine)
    return [part for name in names for part in ("--file", str(ROOT / name))]


def gpu_file(engine: str) -> list[str]:
    """The compose file that gives a container the cards; none, with a warning, where the engine has no way to."""
    if engine == "podman" and described_cards():
        return ["compose.gpu-podman.yaml"]
    if engine == "docker" and has_nvidia_runtime():
        return ["compose.gpu.yaml"]
    if engine == "docker" and described_cards():
        return ["compose.gpu-cdi.yaml"]
    print(
        f"erabench: {engine} cannot give a container the NVIDIA card: it has no NVIDIA runtime and no CDI description. "
        "GPU rows will be skipped; `make doctor` tells the cure",
        file=sys.stderr,
    )
    return []


def datasets(framework: str) -> list[str]:
    """The data sets of the framework's models that MODEL names (of all where it is empty)."""
    program = (
        "import sys; from runners import registry as r; asked = sys.argv[2:]; keys = r.model_keys(sys.argv[1]); "
        "print(*{r.load_model(sys.argv[1], key).dataset for key in keys if key in asked or not asked})"
    )
    asked = os.environ.get("MODEL", "").replace(",", " ").split()
    command = [sys.executable, "-c", program, framework, *asked]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def trust() -> tuple[str, ...]:
    """What makes a container that fetches trust what this machine trusts: an era image's own bundle has expired."""
    return ("--env", "SSL_CERT_FILE=/run/ca.pem", "--env", "PIP_CERT=/run/ca.pem") if ca_bundle() else ()


def ca_bundle() -> str:
    """The CA bundle: CA_BUNDLE, else this machine's own; "" where there is none."""
    given = os.environ.get("CA_BUNDLE")
    return given or next((path for path in CA_BUNDLES if Path(path).is_file()), "")


def commit() -> str:
    """The project's commit, -dirty behind it if what makes results differs; "" where git cannot tell."""
    head = git("rev-parse", "HEAD")
    return head + ("-dirty" if head and git("status", "--porcelain", "--", "runners", "images") else "")


def memory_bytes() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
