"""Real servers, the pintail process and the independent judge of the end-to-end tests."""

import pytest


def long(*values):
    """A parameter, or a set of them, that is left to the long tier."""
    return pytest.param(*values, marks=pytest.mark.long)


def on(*catalogs):
    """Runs the test's lake on these catalogs only; on one of them in an ordinary run, unless the test is marked core."""
    return pytest.mark.parametrize("lake", catalogs, indirect=True)
