"""The small language of conditions and formulas."""
