"""Part: ``crmsync --help`` beside a bare Python, both as a person starts them.

``python -m tests.bench.starting TIMES``
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.figure import Figure, alone, megabytes, tell

_HELP = "import sys; sys.argv = ['crmsync', '--help']; from crmsync.cli.main import main; main()"
_BARE = "pass"


def figures(times: int) -> Iterator[Figure]:
    """Milliseconds from start to end, the median of so many."""
    found = alone("starting", times)
    yield Figure("start.help", found["help"], "ms", "python -c pass", found["bare"], found["most"])


def main(times: int) -> None:
    """The two take turns, so that a busy machine hurts both."""
    ours, theirs = [], []
    for _ in range(times):
        ours.append(_milliseconds(_HELP))
        theirs.append(_milliseconds(_BARE))
    most = megabytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    tell(help=statistics.median(ours), bare=statistics.median(theirs), most=most)


def _milliseconds(program: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return (time.perf_counter() - start) * 1000


def run(words: list[str]) -> None:
    """The part by its words on the command line."""
    main(int(words[0]))


if __name__ == "__main__":
    run(sys.argv[1:])
