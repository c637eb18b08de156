"""Writes judged: random scripts against a model of the server; what SQL wrote, read by official clients."""
