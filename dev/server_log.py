"""Reading an Odoo server log: what the tests did, and which warnings nobody expected."""

import dataclasses
import re

RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ "
    r"(?P<level>[A-Z]+) \S+ (?P<logger>[\w.?-]+): (?P<text>.*)$"
)
SUMMARY = re.compile(r"^(\d+) failed, (\d+) error\(s\) of (\d+) tests when loading database")
SKIP = re.compile(r"^skipped (.*?) : (.*)$")
# What the runner itself says about a failed test, which is counted as that test already.
ECHO = re.compile(
    r"^(FAIL|ERROR): |^Module \S+: \d+ failures, |^At least one test failed|^\d+ failed, \d+ error"
)

# (logger, beginning of the text): lines that Odoo writes on this environment without our add-ons,
# with the reason.
KNOWN = ()


@dataclasses.dataclass
class Record:
    level: str
    logger: str
    text: str


def records(path):
    """The log's records, each with the lines that belong to it."""
    found = []
    with open(path, errors="replace") as handle:
        for line in handle:
            start = RECORD.match(line.rstrip("\n"))
            if start:
                found.append(Record(start["level"], start["logger"], start["text"]))
            elif found:
                found[-1].text += "\n" + line.rstrip("\n")
    return found


def unexpected(found):
    """Warnings and errors that are neither a failed test nor known to come from the environment."""
    return [
        record
        for record in found
        if record.level in ("WARNING", "ERROR", "CRITICAL")
        and not ECHO.match(record.text)
        and not any(
            record.logger == logger and record.text.startswith(text)
            for logger, text, _reason in KNOWN
        )
    ]


def failures(found):
    """The reports of the failed tests."""
    return [
        record.text
        for record in found
        if record.level == "ERROR" and re.match(r"(FAIL|ERROR): ", record.text)
    ]


def skips(found, modules):
    """Skipped tests of these add-ons, with the reason each gave."""
    own = tuple(f"odoo.addons.{module}." for module in modules)
    return [
        record.text for record in found if record.logger.startswith(own) and SKIP.match(record.text)
    ]


def totals(found):
    """(tests run, tests that failed) as the runner counts; (0, 0) when it never got there."""
    for record in reversed(found):
        summary = SUMMARY.match(record.text)
        if summary:
            failed, errors, run = map(int, summary.groups())
            return run, failed + errors
    return 0, 0
