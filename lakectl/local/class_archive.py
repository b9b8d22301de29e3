"""An archive of the JVM's loaded classes (AppCDS): it takes about 4 of 10 seconds off a small Spark run.

The first run of a class path writes it while its JVM exits, after the script has ended, so nobody waits
for it. An archive is used only if it is byte for byte the file that was written (a truncated one crashes the
JVM with SIGBUS); one that doesn't fit the class path or the Java is ignored by the JVM itself.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lakectl.local import jars
from lakectl.local.java import Java

KEEP = 3  # archives; each is about 210 MB
CLAIM_SECONDS = 300  # for which whoever began to write an archive is the only one
STALE_SECONDS = 3600  # after which a half-written file is one that nobody will finish
FREE_BYTES = 1_000_000_000  # below this much free disk no archive is written
QUIET = "-Xlog:cds*=off"  # or its warnings land in the job's output

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassArchive:
    """The archive of one Java and one class path. ``path`` need not exist."""

    java: Java
    path: Path

    @classmethod
    def of(cls, java: Java, jars_dir: Path, iceberg: bool) -> ClassArchive:
        spark = importlib.metadata.distribution("pyspark")
        identity = [java.version, str(java.home), str(jars_dir), iceberg, spark.version]
        identity.append(str(spark.locate_file("pyspark")))
        # Jars that were fetched again have other times, and a JVM takes no archive of jars whose times it doesn't know.
        manifest = jars_dir / jars.MANIFEST
        identity.append(manifest.stat().st_mtime_ns if manifest.exists() else 0)
        key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
        return cls(java, jars.cache_dir() / "cds" / f"{key}.jsa")

    def options_to_use(self) -> tuple[str, ...]:
        """JVM options; empty when there is no intact archive."""
        if not _intact(self.path):
            return ()
        base = self._base()
        if base is None:
            return ()
        archives = ":".join(str(path) for path in (*base, self.path))
        return (f"-XX:SharedArchiveFile={archives}", "-Xshare:auto", QUIET)

    def options_to_write(self, partial: Path) -> tuple[str, ...]:
        """JVM options that write the archive to ``partial`` at exit.

        Empty when it can't be written, or when another run is about to.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for left in self.path.parent.glob("*.partial"):
                if _age_seconds(left) > STALE_SECONDS:
                    left.unlink(missing_ok=True)
            if any(shutil.disk_usage(folder).free < FREE_BYTES for folder in (self.path.parent, partial.parent)):
                return ()
            if _age_seconds(self._claim) < CLAIM_SECONDS:
                return ()
            self._claim.touch()
        except OSError as error:
            log.warning("no class archive: %s", error)
            return ()
        base = self._base()
        if base is None:
            return ()
        shared = [f"-XX:SharedArchiveFile={base[0]}"] if base else []
        return (*shared, f"-XX:ArchiveClassesAtExit={partial}", QUIET)

    @property
    def _claim(self) -> Path:
        return self.path.with_suffix(".writing")

    def release(self, partial: Path) -> None:
        """``partial`` is no longer written; another run may write the archive."""
        partial.unlink(missing_ok=True)
        self._claim.unlink(missing_ok=True)

    def accept(self, partial: Path) -> None:
        """Take ``partial``, which a JVM has finished writing, into use."""
        _publish(partial, self.path)
        archives = sorted(self.path.parent.glob("*.jsa"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in archives[KEEP:]:
            _discard(old)

    def discard(self) -> None:
        """Remove the archive: a JVM that was given it did not start."""
        _discard(self.path)

    def _base(self) -> tuple[Path, ...] | None:
        """The archive below ours: () if this Java brings its own, else one made here; None if that fails."""
        if any((self.java.home / "lib").glob("*/classes.jsa")):
            return ()
        key = hashlib.sha256(f"{self.java.version} {self.java.home}".encode()).hexdigest()[:16]
        base = self.path.parent / f"base-{key}.jsa"
        if _intact(base):
            return (base,)
        partial = base.with_suffix(f".{id(self)}.partial")
        command = [str(self.java.executable), "-Xshare:dump", f"-XX:SharedArchiveFile={partial}"]
        done = subprocess.run([*command, "-XX:+UseSerialGC"], capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode != 0 or not partial.exists():
            log.warning("no class archive: %s ended with %d", " ".join(command), done.returncode)
            return None
        _publish(partial, base)
        return (base,)


def _age_seconds(path: Path) -> float:
    """Since it was last written; endless if it isn't there."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _record(path: Path) -> Path:
    return path.with_suffix(".json")


def _intact(path: Path) -> bool:
    try:
        return bool(json.loads(_record(path).read_text()) == _stamp(path))
    except (OSError, ValueError):
        return False


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _publish(partial: Path, path: Path) -> None:
    # The record goes last: without it the archive doesn't count.
    _record(path).unlink(missing_ok=True)
    draft = path.with_name(partial.name)  # the folder of a run may be on another file system
    shutil.move(partial, draft)
    draft.rename(path)
    record = _record(path).with_suffix(f".{partial.name}.tmp")
    record.write_text(json.dumps(_stamp(path)))
    record.rename(_record(path))


def _discard(path: Path) -> None:
    _record(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
