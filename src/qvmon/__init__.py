"""qvmon watches a trading platform: it collects, decides, tells, and proves what happened."""
