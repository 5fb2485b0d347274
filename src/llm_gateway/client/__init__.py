"""The client: one interface, sync and async, over flows written once."""
