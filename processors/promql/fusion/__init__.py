"""Rules of many shapes as one evaluation: the same step of all of them in one call over columns.

`steps` takes plans apart into distinct steps, `linking` lays the rows of each step out in one
register file for the series that a source has now, `batches` compute, `engine` answers for each
plan. A step that cannot be laid out ahead runs as it does alone; a plan with an error is evaluated
alone, so that errors are the plain engine's.
"""
