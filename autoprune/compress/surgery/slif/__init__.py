"""sLIF: neurons that learn their threshold and time constant; `node` has the formulas."""
