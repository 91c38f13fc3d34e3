"""Programs that stand in for the boards process and do one thing each, well or badly."""

import stat
import sys
from pathlib import Path

ECHO = """
import http.server, json, os, socketserver, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        size = int(self.headers.get("content-length", 0))
        body = self.rfile.read(size).decode()
        body = json.dumps({"path": self.path, "headers": dict(self.headers), "body": body})
        self.send_response(302 if "redirect" in self.path else 200)
        self.send_header("Set-Cookie", "stolen=1")
        self.send_header("Location", "https://evil.example/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET

    def address_string(self):
        return ""

    def log_message(self, *args):
        pass

class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

server = Server(sys.argv[sys.argv.index("--socket") + 1], Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.write(1, b"ready\\n")
while os.read(0, 4096):
    pass
os._exit(0)
"""

EXITS = """
import sys
sys.exit("no room for TensorBoard today")
"""

FAILS = ECHO.replace('self.send_response(302 if "redirect" in self.path else 200)', "self.send_response(500)").replace(
    "body = json.dumps(", "body = 'Traceback (most recent call last): /secret/path' or json.dumps("
)

HANGS = """
import time
time.sleep(1000)
"""

DIES_WHEN_ASKED = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[sys.argv.index("--socket") + 1])
listener.listen()
os.write(1, b"ready\\n")
listener.accept()
os._exit(1)
"""


def stub(folder: Path, source: str) -> str:
    """A program, to be given as the Python that runs the boards process."""
    path = folder / "stub"
    path.write_text(f"#!{sys.executable}\n{source}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
