"""Go's text/template as the annotations of Prometheus's rules use it, compiled at load."""
