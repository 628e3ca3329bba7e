"""What a project's files say besides the rules: settings, secrets by reference, mappings."""
