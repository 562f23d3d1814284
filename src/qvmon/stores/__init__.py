"""The two stores, telemetry and ledger, and the one place that queries them."""
