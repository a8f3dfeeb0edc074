"""`python -m omni_workers` runs a worker."""

from omni_workers.main import main

raise SystemExit(main())
