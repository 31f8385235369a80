"""Nothing is added to what is measured."""

import pytest
import untouched

pytest.importorskip("statsmodels")


def test_a_row_leaves_its_process_as_it_was():
    """Variables, processors, priority and allocator are those of the user, before the row and after it."""
    untouched.check_row("classical", "ar-ols")
