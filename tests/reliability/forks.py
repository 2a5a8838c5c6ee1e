"""Processes that are forked for a test, and killed."""

import os
import warnings


def forked(action):
    """Run an action in a process of its own, and give its number."""
    with warnings.catch_warnings():
        # The threads of torch hold no lock that is needed here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(0)
    return child


def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
