"""What tests of qvmon, ours and yours, are made of; never imported by the product."""
