"""What is done to a directory now and then: head to blocks, blocks to larger ones or away."""
