"""`hybrid` queries: several queries of one request, whose scores become one order."""
