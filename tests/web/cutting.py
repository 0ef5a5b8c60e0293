"""A proxy that cuts the connection of a streamed answer after so many bytes, as bad networks do."""

import contextlib
import socket
import threading
from collections.abc import Iterator

STREAMS = (b"POST /api/chat", b"GET /api/runs/")


class Cutting:
    """Relays to `port`; each streamed answer ends after the next number of bytes of `cuts`, those after the last whole."""

    def __init__(self) -> None:
        self.port = 0
        self.cuts: Iterator[int] = iter(())
        self.made = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self.port))
        left: list[int | None] = [None]
        threading.Thread(target=self._back, args=(server, client, left), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                left[0] = next(self.cuts, None) if data.startswith(STREAMS) else None
                server.sendall(data)
        _close(server)

    def _back(self, server: socket.socket, client: socket.socket, left: list[int | None]) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if left[0] is not None:
                    data, left[0] = data[: left[0]], left[0] - len(data)
                client.sendall(data)
                if left[0] is not None and left[0] <= 0:
                    self.made += 1
                    break
        _close(client)
        _close(server)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
