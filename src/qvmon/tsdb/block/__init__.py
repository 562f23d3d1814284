"""Blocks: what is older, as Parquet files that never change."""
