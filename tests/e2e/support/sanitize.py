"""The build under AddressSanitizer and UBSan (make asan), which ends with a report on standard error when it finds something, also a leak at its end."""

import os
from pathlib import Path

from .procs import REPO

REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error", "ThreadSanitizer")


def asan_binary() -> Path:
    path = Path(os.environ.get("PINTAIL_ASAN", REPO / "build-asan" / "pintail")).resolve()
    assert path.exists(), f"{path} is not there: make asan"
    return path


def sanitized(**environment) -> dict:
    """Arguments for Pintail.start and its like."""
    return {
        "program": asan_binary(),
        "env": {
            "ASAN_OPTIONS": "detect_leaks=1",
            "LSAN_OPTIONS": f"suppressions={REPO / 'tests' / 'lsan.supp'}:print_suppressions=0",
            **environment,
        },
    }


def assert_no_report(err: str):
    assert not any(word in err for word in REPORTS), err[-6000:]
