"""Let a process that is told to end do so by way of its `finally` blocks and exit handlers."""

import signal
import sys
import threading
from types import FrameType


def exit_on_termination() -> None:
    """Turn SIGTERM and SIGHUP into `SystemExit`, where they would otherwise end the process on the spot.

    A program that handles them itself, or ignores them, is left alone; so are threads, which cannot set handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit)


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
