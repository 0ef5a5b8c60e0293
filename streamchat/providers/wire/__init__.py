"""The three wire formats in use, read without input or output, and what their errors mean."""
