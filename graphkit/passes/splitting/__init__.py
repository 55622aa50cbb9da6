"""What split-head does once a model is there: cutting behind the decode, or in front of it."""
