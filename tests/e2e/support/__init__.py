"""Real servers, the pintail process and the independent judge of the end-to-end tests."""

import pytest


def on(*catalogs):
    """Runs the test's lake on these catalogs only."""
    return pytest.mark.parametrize("lake", catalogs, indirect=True)
