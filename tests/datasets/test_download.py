"""Downloads from a loopback server that cuts, forgets Range, changes the file, or refuses."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from maskvos.datasets.download import CHUNK, download
from maskvos.errors import UserError

CONTENT = np.random.default_rng(0).bytes(700_000)


class Server(ThreadingHTTPServer):
    """Serves ``content`` with faults that a test sets; keeps the Range header of every request."""

    content = CONTENT
    etag = '"one"'
    honours_range = True
    ranges: list[str | None]
    cuts: list[int]  # bytes to send of each coming response before the connection is cut
    statuses: list[int]  # errors to answer first

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/set.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.ranges.append(asked)
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        start, total = 0, len(server.content)
        if asked and server.honours_range:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("ETag", server.etag)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        self.send_header("ETag", server.etag)
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        body = server.content[start:]
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)
        self.close_connection = True


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.ranges, running.cuts, running.statuses = [], [], []
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def check_whole(target: Path, content: bytes = CONTENT) -> None:
    assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]


def test_resumes_after_cuts(server: Server, tmp_path: Path) -> None:
    server.cuts = [300_000, 100_000]
    download(server.address, tmp_path / "set.zip", pause=0.01)
    check_whole(tmp_path / "set.zip")
    first = 300_000 // CHUNK * CHUNK  # whole chunks are kept
    assert server.ranges == [None, f"bytes={first}-", f"bytes={first + 100_000 // CHUNK * CHUNK}-"]


def test_resumes_in_another_run(server: Server, tmp_path: Path) -> None:
    server.cuts = [300_000]
    with pytest.raises(UserError, match=f"{300_000 // CHUNK * CHUNK} bytes are kept"):
        download(server.address, tmp_path / "set.zip", attempts=1)
    download(server.address, tmp_path / "set.zip")
    check_whole(tmp_path / "set.zip")
    assert server.ranges == [None, f"bytes={300_000 // CHUNK * CHUNK}-"]


def test_server_without_range_starts_again(server: Server, tmp_path: Path) -> None:
    server.honours_range, server.cuts = False, [300_000]
    download(server.address, tmp_path / "set.zip", pause=0.01)
    check_whole(tmp_path / "set.zip")


@pytest.mark.parametrize("length", [700_000, 250_000])
def test_file_that_changed_meanwhile_is_not_glued(server: Server, tmp_path: Path, length: int) -> None:
    server.cuts = [300_000]
    with pytest.raises(UserError):
        download(server.address, tmp_path / "set.zip", attempts=1)
    server.content, server.etag = CONTENT[::-1][:length], '"two"'
    download(server.address, tmp_path / "set.zip", pause=0.01)
    check_whole(tmp_path / "set.zip", server.content)


def test_part_that_is_already_whole(server: Server, tmp_path: Path) -> None:
    (tmp_path / "set.zip.part").write_bytes(CONTENT)
    (tmp_path / "set.zip.part.json").write_text('{"etag": "\\"one\\"", "modified": ""}')
    download(server.address, tmp_path / "set.zip")
    check_whole(tmp_path / "set.zip")


def test_busy_server_is_asked_again_and_a_refusal_is_not(server: Server, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    download(server.address, tmp_path / "set.zip", pause=0.01)
    check_whole(tmp_path / "set.zip")
    server.statuses, server.ranges = [404], []
    with pytest.raises(UserError, match="404"):
        download(server.address, tmp_path / "other.zip", pause=0.01)
    assert len(server.ranges) == 1


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2 times in a row"):
        download("http://127.0.0.1:9/set.zip", tmp_path / "set.zip", attempts=2, pause=0.01)


def test_too_small_a_disk_is_said_before_anything_is_written(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(UserError, match="are free"):
        download(server.address, tmp_path / "set.zip")
    assert list(tmp_path.iterdir()) == []


def test_disk_that_fills_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = tmp_path / "set.zip.part"
    full.symlink_to("/dev/full")
    with pytest.raises(UserError, match="No space left"):
        download(server.address, tmp_path / "set.zip", attempts=1)
