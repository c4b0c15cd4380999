"""`python -m ops` is `tocsin`."""

import sys

from ops.cli import main

sys.exit(main())
