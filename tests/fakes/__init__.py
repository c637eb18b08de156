"""Stand-ins for the vendors' APIs: each one WSGI app over a state that a test can read and spoil."""
