"""Surgery: a plan carried out on a copy of a network; the only part of compression with torch."""
