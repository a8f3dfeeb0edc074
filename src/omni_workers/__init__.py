"""The worker: a shell that takes jobs from the queue and hands them to the core."""
