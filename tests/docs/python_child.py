"""Runs the Python of a page, block after block in one namespace, as someone at a prompt does.

Each line of standard input is one block, as a JSON text; the line that answers is JSON: its ``status``, what it wrote
to ``stdout``, and to ``stderr`` with the traceback where it failed.
"""

import contextlib
import io
import json
import sys
import traceback

names = vars(sys.modules["__main__"]) | {"__builtins__": __builtins__}
for line in sys.stdin:
    stdout, stderr, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            exec(compile(json.loads(line), "<page>", "exec"), names)
        except BaseException:
            traceback.print_exc()
            status = 1
    print(
        json.dumps({"status": status, "stdout": stdout.getvalue(), "stderr": stderr.getvalue()}),
        file=sys.__stdout__,
        flush=True,
    )
