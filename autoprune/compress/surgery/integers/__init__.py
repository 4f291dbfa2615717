"""A network in a machine's own integers, as far as the machine's file says what they are."""
