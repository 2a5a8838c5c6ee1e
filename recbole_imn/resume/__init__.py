"""Training that goes on after it was stopped, to the figures of a run without a break."""

from recbole_imn.resume.mends import IF_STOPPED, install, until_done

__all__ = ["IF_STOPPED", "install", "until_done"]
