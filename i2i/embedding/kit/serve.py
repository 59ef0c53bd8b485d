"""Serves this folder with the two headers that let the page use threads: python serve.py [PORT]."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Isolated(SimpleHTTPRequestHandler):
    """Files of a folder, cross-origin isolated."""

    def end_headers(self) -> None:
        """The two headers, before the others end."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


if __name__ == "__main__":
    for name in (".js", ".mjs"):  # some systems say otherwise
        Isolated.extensions_map[name] = "text/javascript"
    folder, port = Path(__file__).resolve().parent, int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Isolated, directory=str(folder)))
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
