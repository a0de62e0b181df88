"""What clients send and get, as models: every check of client input stands here."""
