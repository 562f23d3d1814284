"""The web client in a real Chromium, against a real qvmon that watches the simulated platform."""
