"""The page's server as a process of its own, and chromium to look at it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = os.environ.get("PYVOCSEP_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",  # a microphone that hums, and leave to use it
    "--use-fake-device-for-media-stream",
]


@contextmanager
def page_server(*options: str, address: str = "127.0.0.1") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `python -m pyvocsep.web`; yield its address and the process, and interrupt it at the end."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "pyvocsep.web", "--no-browser", "--port", str(port), *options]
    with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryDirectory() as folder:
        # `-m` imports from the current folder first: an empty one leaves the installed package.
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, text=True, cwd=folder)
        url = f"http://{address}:{port}"
        try:
            _wait_until_healthy(url, process, log)
            yield url, process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            log.seek(0)
            print(log.read())  # pytest shows it with a failure


def _wait_until_healthy(url: str, process: subprocess.Popen[str], log: Any) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise RuntimeError(f"the page did not start:\n{log.read()}")
        time.sleep(0.1)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser with a profile of its own; yields Playwright's object."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def downloaded(page: Any, label: str, folder: Path) -> Path:
    """Click a download link and return the file, under the name that the page gives it."""
    with page.expect_download(timeout=60_000) as event:
        page.get_by_role("link", name=label, exact=True).click()
    path = folder / event.value.suggested_filename
    event.value.save_as(path)
    return path
