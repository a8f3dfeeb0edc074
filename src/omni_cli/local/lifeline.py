"""`python -m omni_cli.local.lifeline omni_http /path/of/home`: runs a program of Omni's that ends with its parent.

The parent holds the other end of standard input. However the parent ends, kill -9 included, the pipe closes, and this
process ends as on SIGTERM.
"""

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

from omni_cli.local.processes import announced

GRACE_S = 20.0


def main() -> None:
    """Run the module that the first argument names, as `python -m` does."""
    module, home = sys.argv[1], Path(sys.argv[2])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [module]
    with announced(home, module):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(128 + signal.SIGKILL)  # it hangs, and nobody is left who could see that


if __name__ == "__main__":
    main()
