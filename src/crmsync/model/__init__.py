"""Data that every part shares: frozen, typed, without behaviour that needs the world."""
