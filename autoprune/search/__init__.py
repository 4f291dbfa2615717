"""Search: proposes plans and keeps the Optuna study; the only package that knows Optuna."""
