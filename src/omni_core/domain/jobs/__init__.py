"""Work that outlives the request that asked for it: queued with the change that wants it, run by a worker."""
