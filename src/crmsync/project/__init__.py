"""One module per use case: the only place where the stages meet."""
