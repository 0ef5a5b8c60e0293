"""The conversations of a team in PostgreSQL: the same lines as in the files, for many processes on many machines."""
