"""Who a series is: symbols, canonical label bytes to ids, and labels to ids, all in arenas."""
