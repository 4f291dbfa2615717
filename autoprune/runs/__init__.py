"""What a run leaves on disk: record, outcomes, weights, machines, lock."""
