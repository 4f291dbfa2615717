"""Search: proposes plans through Optuna and holds the record; the only package that knows Optuna."""
