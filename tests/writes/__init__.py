"""Writes judged: random scripts against a model of the server, and what SQL wrote read by official clients."""
