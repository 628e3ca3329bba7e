"""What crmsync keeps on disk: its own state, and the mirror of records read from a CRM."""
