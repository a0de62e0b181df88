"""Which model, precision and way of searching suit a user's own data: measured, compared, reported."""
