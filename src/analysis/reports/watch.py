"""What one report may take, and the watch that ends a kernel which takes more.

Neither a hang nor a report that eats the memory may cost the others theirs. The kernel is a process
of its own, so it is looked at from outside, the same way on every system, and can always be ended.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

# A report takes seconds; one that takes longer than this hangs.
MINUTES = 20.0
_BETWEEN_LOOKS_SECONDS = 0.5
_UNITS = {unit: 1000**n for n, unit in enumerate(("KB", "MB", "GB", "TB"), start=1)}
_UNITS |= {unit: 1024**n for n, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)}
_LIMIT = re.compile(r"\s*([\d.]+)\s*(%|[KMGT]i?B)\s*")


@dataclass(frozen=True)
class Limits:
    """What one report may take."""

    minutes: float = MINUTES
    memory_bytes: float | None = None
    """None is no limit."""

    @classmethod
    def shared(cls, memory_limit: str, jobs: int, minutes: float) -> "Limits":
        """The limits of each of `jobs` reports at a time, by the practice's `memory_limit`.

        >>> Limits.shared("3 GB", 2, 20).memory_bytes
        1500000000.0
        """
        return cls(minutes, _bytes(memory_limit) / jobs)


@dataclass
class Watch:
    """Ends the kernels started under it at a limit, or once `stopped`; `reason` then says why."""

    limits: Limits
    stopped: threading.Event = field(default_factory=threading.Event)
    reason: str = ""
    _began: float = 0.0

    def kernel_manager(self) -> "type[AsyncKernelManager]":
        """The class of managers whose kernels this watch looks at."""
        from jupyter_client.manager import AsyncKernelManager

        look_at = self._look_at
        self._began = self._began or time.monotonic()

        class Watched(AsyncKernelManager):
            async def _async_post_start_kernel(self, **given: object) -> None:
                await super()._async_post_start_kernel(**given)
                kernel = psutil.Process(self.provisioner.pid)  # type: ignore[union-attr]
                threading.Thread(target=look_at, args=(kernel,), daemon=True).start()

            post_start_kernel = _async_post_start_kernel

        return Watched

    def _look_at(self, kernel: psutil.Process) -> None:
        try:
            while kernel.is_running() and kernel.status() != psutil.STATUS_ZOMBIE:
                with_children = [kernel, *kernel.children(recursive=True)]
                self.reason = self._too_much(with_children)
                if self.reason:
                    for process in with_children:
                        process.kill()
                    return
                self.stopped.wait(_BETWEEN_LOOKS_SECONDS)
        except psutil.NoSuchProcess:
            # It ended between two looks.
            return

    def _too_much(self, processes: list[psutil.Process]) -> str:
        """Why the report has to end now; '' when it may go on."""
        if self.stopped.is_set():
            return "stopped"
        if time.monotonic() - self._began > 60 * self.limits.minutes:
            told = f"not done after {self.limits.minutes:g} minutes"
            return f"{told}; `outcomes report --minutes` allows more"
        most = self.limits.memory_bytes
        if most is not None and sum(process.memory_info().rss for process in processes) > most:
            return (
                f"it needed more than its share of the memory ({most / 1e9:.2g} GB); try"
                " `--jobs 1`, or a larger memory_limit in practice.toml"
            )
        return ""


def _bytes(memory_limit: str) -> float:
    """The bytes of practice.toml's memory_limit; a percentage is of this computer's memory."""
    read = _LIMIT.fullmatch(memory_limit)
    if read is None:
        raise ValueError(memory_limit)
    amount, unit = float(read[1]), read[2]
    one = psutil.virtual_memory().total / 100 if unit == "%" else _UNITS[unit]
    return amount * float(one)
