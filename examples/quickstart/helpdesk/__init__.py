"""A small help desk that asks models in three ways. It knows nothing of tests."""
