"""A study: what a user asks for, read, checked and built."""
