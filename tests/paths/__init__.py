"""Every way round the plain one gives the rows of the plain one: random statements, ends, threads."""
