"""`python -m sqlprovider` is the command line."""

import sys

from sqlprovider.surfaces.cli import main

sys.exit(main())
