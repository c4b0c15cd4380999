"""Go's text/template, compiled at load; the functions and the data come from whoever uses it."""
