"""Whether what a program prints hangs on the number of threads."""

import os
import subprocess
import sys


def agree_on_threads(script: str) -> bool:
    """Whether `script`, run with one thread and with two, prints the same, and anything at all."""
    told = set()
    for threads in ("1", "2"):
        variables = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | variables | {"PYTHONPATH": "tests"},
            capture_output=True,
            check=True,
        )
        told.add(run.stdout)
    return len(told) == 1 and told != {b""}
