"""How a cluster is reached: the client's own network part, which says why no broker could be reached, gives up in time, and loses nothing.

As the client comes, it tries again in silence until its time is over, whatever was wrong; a broker that takes the connection and never
ends its TLS handshake holds it for ever; what a broker says just before it closes the connection, such as why it refuses a password, is
mostly lost; a client that was not made leaves its thread and sockets behind, and a cluster that is away for a day is asked for thousands
of times. Here a refusal that only a person can mend (the password, the mechanism, a certificate, a file) ends the attempt once every broker
has said so, everything else ends it after `bootstrap_timeout_ms`, the error tells what each broker did, and nothing is left behind.
"""

from __future__ import annotations

import re
import ssl
import time
from functools import partial
from typing import Any, Final

from kafka.errors import (
    AuthorizationError,
    InvalidReceiveError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import create_connection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

_OVER: Final = re.compile("timed out|timeout", re.IGNORECASE)
"""How the client says that the time was over."""
_GRACE: Final = 1_000
"""Milliseconds after which an attempt that should have ended is ended."""


class UnreachableError(KafkaError):  # type: ignore[misc]  # the client ships no types
    """No broker could be reached; the text says which did what."""

    def __str__(self) -> str:
        return str(self.args[0])


class _RefusedError(KafkaConnectionError):  # type: ignore[misc]  # the client ships no types
    """No connection will ever come about with these options."""


_FINAL: Final = (
    _RefusedError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
    AuthorizationError,
    InvalidReceiveError,
)


class Client(KafkaNetClient):  # type: ignore[misc]  # the client ships no types
    """What producers, consumers and the administrator's client take as `kafka_client`."""

    def __init__(self, **configs: Any) -> None:
        net = NetworkSelector(**configs)
        super().__init__(net, _Connections(net, **configs), **configs)

    def await_ready(self, node_id: Any, timeout_ms: float = 30_000) -> bool:
        """False for a node that is gone, or takes us no more. Where it raises instead, the producer loses the request that it had for the
        coordinator of its transaction: a commit then waits for ever for the answer to what was never sent."""
        try:
            return bool(super().await_ready(node_id, timeout_ms=timeout_ms))
        except KafkaError:
            return False


class _ToTheEnd:
    """A transport that hands over what came before the end of the connection; the end is found again by the next reading."""

    def _sock_recv(self) -> tuple[bytes, Exception | None]:
        data, error = super()._sock_recv()  # type: ignore[misc]  # the transport's, which is mixed in
        return data, None if data else error


class _Plain(_ToTheEnd, KafkaTCPTransport):  # type: ignore[misc]  # the client ships no types
    pass


class _Tls(_ToTheEnd, KafkaSSLTransport):  # type: ignore[misc]  # the client ships no types
    pass


class _Connections(KafkaConnectionManager):  # type: ignore[misc]  # the client ships no types
    def __init__(self, net: NetworkSelector, **configs: Any) -> None:
        super().__init__(net, **configs)
        self._failures: dict[str, Exception] = {}

    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = True) -> None:
        """Reaches any broker of the list; where that fails, everything is closed.

        Raises:
            UnreachableError: none could be reached.
        """
        try:
            self._net.run(self._bootstrap_within, timeout_ms, refresh)
        except BaseException as error:
            self._net.stop()
            self.close()
            self._net.close()
            if isinstance(error, KafkaError):
                raise UnreachableError(self._told(error, timeout_ms)) from error
            raise

    async def _bootstrap_within(self, timeout_ms: float | None, refresh: bool) -> None:
        patience = None if timeout_ms is None else timeout_ms + _GRACE
        await self.wait_for(self.bootstrap_async(timeout_ms, refresh), patience)

    def get_connection(self, node_id: str, *arguments: Any, **options: Any) -> Any:
        """As the client's own, but that it does not try again what is refused for good."""
        brokers = [each.node_id for each in self.cluster.bootstrap_brokers()]
        if node_id in brokers and all(isinstance(self._failures.get(each), _FINAL) for each in brokers):
            raise self._failures[node_id]
        connection = super().get_connection(node_id, *arguments, **options)
        if node_id in brokers:
            connection.close_future.add_errback(partial(self._note, node_id))
        return connection

    def _note(self, node_id: str, failure: Exception) -> None:
        """Keeps what a broker did last; that the time was over in the middle of another attempt says less than anything before."""
        if node_id not in self._failures or not _OVER.search(str(failure)):
            self._failures[node_id] = failure

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> _Plain | _Tls:
        """A connection to a broker, its handshake done.

        Raises:
            KafkaConnectionError: there is none in time.
        """
        sock = await create_connection(
            self._net, node.host, node.port, self.config["socket_options"], timeout_at=timeout_at
        )
        transport = self._transport(sock, node.host)
        try:
            left = None if timeout_at is None else max(0.0, timeout_at - time.monotonic()) * 1_000
            await self.wait_for(self.call_soon(transport.handshake), left)
        except ssl.SSLCertVerificationError as error:
            transport.close()
            raise _RefusedError(f"its certificate is not trusted: {error.verify_message}") from error
        except KafkaTimeoutError as error:
            transport.close()
            raise KafkaConnectionError("it does not end the handshake: timed out") from error
        except Exception as error:
            transport.close()
            raise KafkaConnectionError(f"the handshake failed: {error}") from error
        return transport

    def _transport(self, sock: Any, host: str) -> _Plain | _Tls:
        try:
            if not self.ssl_enabled:
                return _Plain(self._net, sock, host=host)
            options = {name: value for name, value in self.config.items() if name.startswith("ssl_")}
            return _Tls(self._net, sock, host=host, **options)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            sock.close()
            raise _RefusedError(f"the files of TLS cannot be used: {error}") from error

    def _told(self, error: KafkaError, timeout_ms: float | None) -> str:
        within = "" if isinstance(error, _FINAL) or timeout_ms is None else f" within {timeout_ms / 1_000:g} s"
        brokers = [
            f"{each.host}:{each.port}: {self._reason(self._failures.get(each.node_id))}"
            for each in self.cluster.bootstrap_brokers()
        ]
        return f"no broker could be reached{within} by {self.config['security_protocol']} ({'; '.join(brokers)})"

    def _reason(self, failure: Exception | None) -> str:
        match failure:
            case None:
                return "it does not answer"
            case SaslAuthenticationFailedError() | AuthorizationError():
                user = self.config["sasl_plain_username"]
                return f"it refuses the user {user!r} or the password: {_text(failure)}"
            case UnsupportedSaslMechanismError():
                return f"it does not take the mechanism {self.config['sasl_mechanism']}"
            case InvalidReceiveError():
                return f"it does not answer by Kafka's protocol, as one does that expects another security_protocol: {_text(failure)}"
            case _ if "socket disconnected" in str(failure):
                return "it closed the connection, as one does that expects another security_protocol"
            case _:
                return _text(failure)


def _text(error: Exception) -> str:
    """What an error of the client says, without its name."""
    return " ".join(map(str, error.args)) or type(error).__name__
