# SPDX-License-Identifier: Apache-2.0
"""python3 -m tandem COMMAND: what the programs tandem and ./tandem call."""
import sys

from .commandline import main

sys.exit(main())
