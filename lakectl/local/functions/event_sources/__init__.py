"""Event source mappings: the endpoint reads queues and streams, and invokes functions with what it finds."""
