"""What is written for people is true."""

import pytest

pytest.register_assert_rewrite("tests.docs.console")
