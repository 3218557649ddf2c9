"""Stage scripts as real processes that start at once: they are forked off one that has imported everything.

Reads lines of JSON {folder, script, arguments, output} from stdin, writes each child's pid, and at a line {wait} its
status. A child is its own process: signals, locks and exit status are those of a stage started by hand.
"""

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Zygote:
    """The parent's end."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def ask(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, folder, script, arguments):
        """The pid of ``stages/script`` in ``folder``; what it prints goes to ``folder/printed``."""
        return self.ask(folder=str(folder), script=script, arguments=[str(argument) for argument in arguments])

    def wait(self, pid):
        """Its exit status, negative for a signal."""
        return self.ask(wait=pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serve():
    for script in sorted((ROOT / "stages").glob("*.py")):
        importlib.import_module(f"stages.{script.stem}")

    for line in sys.stdin:
        message = json.loads(line)
        if "wait" in message:
            print(os.waitstatus_to_exitcode(os.waitpid(message["wait"], 0)[1]), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            os.chdir(message["folder"])
            printed = os.open("printed", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(printed, 1)
            os.dup2(printed, 2)
            script = str(ROOT / "stages" / message["script"])
            sys.argv = [script, *message["arguments"]]
            runpy.run_path(script, run_name="__main__")
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    serve()
