"""A right line-echo server in Python: one asyncio task for each client.

python3 examples/echo.py          # port 12321, or PORT in the environment
"""

import asyncio
import os
import signal
import socket

PORT = int(os.environ.get("PORT", "12321"))
MAX_LINE = 65536  # bytes, CR LF included


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await echo(reader, writer)
        # Half-close: say that nothing follows, then read on until the client has closed as well. To close
        # with bytes unread would send a reset, which can destroy echoes that are still on their way.
        writer.write_eof()
        await asyncio.wait_for(read_to_the_end(reader), timeout=1)
    except (OSError, asyncio.TimeoutError):
        pass  # the client has gone, and harms nobody else
    finally:
        writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Returns at the end of input, which drops an unfinished line, or when a line is too long."""
    while True:
        try:
            line = await reader.readuntil(b"\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        writer.write(line)
        await writer.drain()  # backpressure: no reading while the client does not read


async def read_to_the_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


def listener(family: socket.AddressFamily, host: str) -> socket.socket:
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, PORT))
    sock.listen(1024)
    return sock


async def main() -> None:
    listeners = [listener(socket.AF_INET, "127.0.0.1")]
    try:
        listeners.append(listener(socket.AF_INET6, "::1"))
    except OSError:
        pass  # a machine without IPv6
    limit = MAX_LINE - 2  # readuntil does not count the terminator
    servers = [await asyncio.start_server(serve, sock=sock, limit=limit) for sock in listeners]
    print(f"echo.py listening on 127.0.0.1:{PORT} (pid {os.getpid()})", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    for server in servers:
        server.close()


asyncio.run(main())
