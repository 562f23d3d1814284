"""The nine services; each is entered by its front door only."""
