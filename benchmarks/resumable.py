"""The end of a benchmark that goes on where it was stopped."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable


def conducted(work: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Do a benchmark's work, and give its exit status; what goes wrong is told in one line.

    Parameters
    ----------
    work : callable
    options : argparse.Namespace
        With ``out``, where finished runs are kept.
    """
    # RecBole reads sys.argv whenever a Config is made.
    sys.argv = sys.argv[:1]
    try:
        work(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; finished runs are kept in {options.out}", file=sys.stderr)
        return 130
    return 0
