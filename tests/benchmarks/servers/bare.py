"""The least that a server of this kind does: a FastAPI route that inserts one row. Beside it the commands are measured.

python -m tests.benchmarks.servers.bare --database-url URL --port 0
"""

from __future__ import annotations

import argparse
import socket
from collections.abc import Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI
from psycopg2.pool import ThreadedConnectionPool
from pydantic import BaseModel

CONNECTIONS = 40  # as many as FastAPI has threads


class Row(BaseModel):
    """What a complaint begins with."""

    channel: str
    complainant: str
    debtor: str
    headcount: int
    amount: int


def app_on(url: str) -> FastAPI:
    """The application, its table made anew."""
    pool = ThreadedConnectionPool(1, CONNECTIONS, url)
    app = FastAPI()
    columns = "channel text, complainant text, debtor text, headcount int, amount bigint"

    def done(statement: str, parameters: dict[str, Any] | None = None) -> None:
        connection = pool.getconn()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, parameters)
        finally:
            pool.putconn(connection)

    done(f"create table if not exists bare (id bigserial primary key, {columns})")

    @app.post("/rows", status_code=201)
    def insert(row: Row) -> dict[str, bool]:
        done(
            "insert into bare (channel, complainant, debtor, headcount, amount)"
            " values (%(channel)s, %(complainant)s, %(debtor)s, %(headcount)s, %(amount)s)",
            row.model_dump(),
        )
        return {"recorded": True}

    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database-url", required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args(arguments)
    with socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    ) as listener:  # asyncio then sends at once
        listener.bind(("127.0.0.1", options.port))
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(app_on(options.database_url), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
