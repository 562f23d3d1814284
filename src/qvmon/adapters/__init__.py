"""We speak to others: one folder a foreign system."""
