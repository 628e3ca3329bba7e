"""The command line: asks, calls `project`, prints. Nothing else here knows the world."""
