"""The hooks: one module per library that can send a request or start a process. Internal."""
