"""The web server: werkzeug's, a thread for each request, on 127.0.0.1 only."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lakectl.errors import LakectlError, UsageError

HOST = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """A socket that listens on ``port`` of this machine alone; 0: on a free one.

    Raises :class:`LakectlError` when the port is taken, :class:`UsageError` when it is not allowed.
    """
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port whose last connections are still closing
    try:
        server.bind((HOST, port))
        server.listen(128)
    except OSError as error:
        server.close()
        if error.errno == errno.EADDRINUSE:
            raise LakectlError(
                f"port {port} of {HOST} is taken", f"lakectl console --port {port + 1}; or --port 0 for a free one"
            ) from None
        raise UsageError(f"can't listen on port {port}: {error.strerror}", "lakectl console --port 0") from None
    return server


@contextmanager
def serving(listening: socket.socket, app: Callable[..., Any]) -> Iterator[None]:
    """Answer requests in the background for as long as the block lasts."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """Writes no line for each request."""

        def log(self, type: str, message: str, *args: Any) -> None:
            pass

    # The socket is ours: werkzeug would end the program when the port is taken.
    server = make_server(
        HOST, listening.getsockname()[1], app, threaded=True, request_handler=Quiet, fd=listening.fileno()
    )
    thread = threading.Thread(target=server.serve_forever, name="console", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        listening.close()
