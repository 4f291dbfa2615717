"""What a user writes: search spaces and studies, and the reading of their files."""
