"""`python -m simulators PROFILE`."""

import sys

from simulators import main

sys.exit(main())
