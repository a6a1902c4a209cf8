"""What all tests have in common."""

import os

# `make test` sets it for the notebooks; a test that wants it sets it itself.
os.environ.pop("COURSE_STRICT", None)
