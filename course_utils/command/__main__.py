"""``python -m course_utils.command``: works where the ``course`` script is not on the path."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
