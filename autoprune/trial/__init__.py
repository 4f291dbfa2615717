"""A trial: plan -> Measurement, and what training and measuring need."""
