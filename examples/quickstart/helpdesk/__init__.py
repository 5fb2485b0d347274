"""A small help desk that asks models in four ways. It knows nothing of tests."""
