"""A thread that dies of an error nobody expected ends its process, with a trace in the log."""

import subprocess
import sys

from tests.conftest import ROOT

PROGRAM = """
import logging, sys, threading, time
from actors.vital import end_process_with_any_thread
logging.basicConfig(level="INFO")
end_process_with_any_thread()
def fine(): sys.exit()
def bad(): raise KeyError("unexpected")
thread = threading.Thread(target=fine); thread.start(); thread.join()
print("alive", flush=True)
threading.Thread(target=bad, name="analyse", daemon=True).start()
time.sleep(30)
"""


def test_the_process_ends_and_says_why() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "alive\n")
    assert "thread=analyse" in done.stderr
    assert "KeyError: 'unexpected'" in done.stderr
