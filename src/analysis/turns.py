"""One run at a time on one practice: the second is told that it waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(lock: Path, say: Callable[[str], None], waiting: str) -> Iterator[None]:
    """Hold the file `lock`; where another process holds it, say `waiting` and wait for it.

    The system lets go of a lock whose process ended, however it ended.
    """
    from filelock import FileLock, Timeout

    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        say(waiting)
        held.acquire()
    try:
        yield
    finally:
        held.release()
