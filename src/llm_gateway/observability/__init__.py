"""What calls do, told to whoever wants to hear: `logging`, `tracing` and `metrics`, or an `Observer` of your own."""
