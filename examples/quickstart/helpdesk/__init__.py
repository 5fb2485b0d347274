"""A small help desk that calls models in three ways. It knows nothing of tests."""
