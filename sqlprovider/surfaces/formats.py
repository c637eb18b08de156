"""The formats in which rows are printed, by name: `render.py` has what prints them."""

FORMATS = ("table", "json", "jsonl", "csv", "markdown")
