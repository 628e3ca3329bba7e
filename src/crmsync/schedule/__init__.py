"""When jobs run: slots from local wall time, claimed once, driven by a ticker."""
