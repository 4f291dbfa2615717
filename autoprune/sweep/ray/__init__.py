"""Ray: the cluster that a sweep runs on, and Tune, which runs it; the only part that knows Ray."""
