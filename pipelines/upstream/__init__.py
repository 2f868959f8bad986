"""What asks the API for more than conversations, when it is wanted: feedback, recordings, the probe, search."""
