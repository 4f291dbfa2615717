"""Search: proposes plans and holds the record; the only package that knows Optuna."""
