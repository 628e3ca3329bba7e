"""A web server on a thread of its own: 127.0.0.1, a free port, gone without a trace."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, TypeAlias, TypeVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

TRANSPORT = "crmsync.transport"
"""The key in the ASGI scope under which a request finds its connection, to drop it."""

_T = TypeVar("_T")


class _DroppableProtocol(H11Protocol):
    """uvicorn's own protocol, which also tells the application the connection it serves."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = app


class ServerThread:
    """Serves one ASGI application until it is stopped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it started."""
        return self._port

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self._thread is not None

    def start(self, port: int = 0) -> None:
        """Start to serve on *port* (0: any free one); returns once requests are answered."""
        if self._thread is not None:
            raise RuntimeError("the sandbox is running already")
        listener = _listener(port)
        self._port = listener.getsockname()[1]
        server = self._server = _server(self._app)
        ready = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            watch = asyncio.create_task(_tell_when_started(server, ready))
            try:
                await server.serve(sockets=[listener])
            finally:
                await watch

        def run() -> None:
            try:
                asyncio.run(serve())
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name="crmsync-sandbox", daemon=True)
        self._thread.start()
        ready.wait()
        if not server.started:
            self._thread.join()
            self._thread = None
            raise RuntimeError("the sandbox could not start")

    def stop(self) -> None:
        """Stop serving and wait until the thread is gone; twice is fine."""
        if self._thread is None or self._server is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._thread = self._server = self._loop = None

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the server's loop and wait for it."""
        if self._loop is None:
            work.close()
            raise RuntimeError("the sandbox is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def on_own_thread(self) -> bool:
        """Whether the caller is the server's own thread."""
        return threading.current_thread() is self._thread

    def serve_forever(self, port: int, on_ready: Callable[[int], None]) -> None:
        """Serve in this thread until a signal; it closes cleanly, then lets the signal act."""
        listener = _listener(port)
        self._port = listener.getsockname()[1]
        on_ready(self._port)
        _server(self._app).run(sockets=[listener])


def _listener(port: int) -> socket.socket:
    # asyncio turns Nagle off only where the protocol is named; with it each reply takes 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener


def _server(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=_DroppableProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
    )


async def _tell_when_started(server: uvicorn.Server, ready: threading.Event) -> None:
    while not server.started and not server.should_exit:
        await asyncio.sleep(0.005)
    ready.set()
