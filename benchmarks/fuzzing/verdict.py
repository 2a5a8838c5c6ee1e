"""Judging a run: fine, a clear line, unclear, a traceback, silently wrong, or a hang."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fuzzing.case import Case, Result

OUTCOMES = ("fine", "clear line", "unclear line", "traceback", "silently wrong", "hang")
BAD = OUTCOMES[2:]
TRACE = "Traceback (most recent call last)"
LONGEST_LINE = 600
# Texts of Python's own exceptions, which say nothing to people.
RAW = re.compile(
    r"error: ('[^']*'|\d+|[A-Za-z]*(Error|Exception)\b.*)$|NoneType|has no attribute|"
    r"unhashable type|"
    r"list index out of range|could not convert|not supported between|invalid literal for|"
    r"not subscriptable|not iterable|unsupported operand|cannot unpack|takes \d+ positional|"
    r"unexpected keyword|Error tokenizing|must be (real number|str),|<class '|object at 0x|"
    r"expected str instance|Expected \d+ fields|division by zero|too large to convert|"
    r"\[Errno|index \d+ is out of bounds|a must be (greater|non-empty)"
)


@dataclass(frozen=True)
class Verdict:
    """How a run ended.

    Attributes
    ----------
    outcome : str
        One of ``OUTCOMES``.
    reason : str
        What is wrong; empty for good ends.
    """

    outcome: str
    reason: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether the run shows a fault of the package."""
        return self.outcome in BAD

    @property
    def signature(self) -> str:
        """The reason without what differs from case to case."""
        text = re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", self.reason)
        return f"{self.outcome}: {re.sub(r'-?[0-9][0-9.e+,-]*', '#', text)}"


def judge(case: Case, result: Result) -> Verdict:
    """Say how a run ended."""
    if result.outside:
        return Verdict("silently wrong", f"executed or left its folder: {result.outside}")
    if result.is_hanging:
        return Verdict("hang", f"no end after {case.limit:.0f} s")
    if TRACE in result.err or result.status < 0:
        return Verdict("traceback", raised(result.err) or f"signal {-result.status}")
    if result.status in case.statuses:
        return _judge_success(case, result)
    fault = unclear(result, case)
    if fault:
        return Verdict("unclear line", fault)
    if not (case.expectation.faults or case.expectation.may_fail):
        return Verdict("silently wrong", f"good input was refused: {error_line(result)}")
    return Verdict("clear line")


def _judge_success(case: Case, result: Result) -> Verdict:
    if case.expectation.faults:
        return Verdict("silently wrong", f"accepted, though {case.expectation.faults[0]}")
    wrong = case.expectation.check(result)
    return Verdict("silently wrong", wrong) if wrong else Verdict("fine")


def error_lines(result: Result) -> list[str]:
    """Give the lines of the error stream that are errors."""
    return [line for line in result.err.splitlines() if line.startswith("error: ")]


def error_line(result: Result) -> str:
    """Give the error line, or nothing."""
    return next(iter(error_lines(result)), "")


def unclear(result: Result, case: Case) -> str | None:
    """Say why the end of a run is no clear line, or None."""
    lines = error_lines(result)
    last = result.err.rstrip("\n").rpartition("\n")[2]
    if result.status != 2:
        return f"exit status {result.status}: {last[:200]}"
    if len(lines) != 1:
        return f"{len(lines)} lines that start with 'error: ' instead of one: {last[:200]}"
    line = lines[0]
    if last != line:
        return f"the error goes on after its line: {last[:200]}"
    if len(line) > LONGEST_LINE:
        return f"the line has {len(line)} characters: {line[:100]}"
    if RAW.search(line):
        return f"a raw exception: {line[:200]}"
    for group in case.expectation.names:
        if not any(text in line for text in group):
            return f"names none of {list(group)[:5]}: {line[:300]}"
    return None


def raised(err: str) -> str:
    """Give exception, file and line of the last traceback."""
    trace = err.rpartition(TRACE)[2]
    frames = re.findall(r'File "([^"]*)", line (\d+), in (\S+)', trace)
    ours = [frame for frame in frames if "recbole" in frame[0]]
    lines = [line for line in trace.splitlines() if line and not line.startswith(" ")]
    if not frames or not lines:
        return ""
    file, number, name = (ours or frames)[-1]
    place = "/".join(file.split("/")[-2:])
    return f"{lines[-1][:200]} at {place}:{number} ({name})"
