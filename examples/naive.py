"""A naive echo server in Python, as in many tutorials. It is wrong; what is wrong with it?

python3 examples/naive.py          # port 12321, or PORT in the environment
"""

import os
import socket

PORT = int(os.environ.get("PORT", "12321"))

with socket.create_server(("127.0.0.1", PORT)) as server:
    print(f"naive.py listening on 127.0.0.1:{PORT} (pid {os.getpid()})", flush=True)
    while True:
        client, address = server.accept()
        with client:
            while data := client.recv(1024):
                client.sendall(data)
