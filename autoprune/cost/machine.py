"""Machine: one accelerator as its TOML file describes it."""
